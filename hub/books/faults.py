"""What can be wrong with a chart, a policy or a document that is to be posted."""

from hub.model.problems import Problem


class Faulty(ValueError):
    """A chart or a policy cannot be used; every fault in it is named with its path."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.message}" for problem in problems))
        self.problems = problems


class Unpostable(ValueError):
    """A document cannot be posted; `field` is the part of it that is to blame, `code` a word for grouping."""

    def __init__(self, code: str, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.code = code
        self.field = field

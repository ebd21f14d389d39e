"""Files that a person names."""

from pathlib import Path

from hub.errors import Misconfigured


def content_of_file(file: Path, bytes_max: int) -> bytes:
    """All that the file holds.

    Raises:
        Misconfigured: it cannot be read, or holds more than that.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(bytes_max + 1)
    except OSError as fault:
        raise Misconfigured(f"{file}: cannot be read: {fault.strerror}") from None
    if len(content) > bytes_max:
        raise Misconfigured(f"{file}: larger than {bytes_max} bytes: split it")
    return content

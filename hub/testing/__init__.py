"""For the tests of this project and of a third party's plugins: builders and conformance suites."""

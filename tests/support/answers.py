"""Answers that were written down beforehand, for those who stand in for a service of AWS."""

type Answer[T] = T | BaseException


def next_answer[T](answers: list[Answer[T]]) -> T:
    """The next answer; the last one again and again. An exception is raised."""
    answer = answers.pop(0) if len(answers) > 1 else answers[0]
    if isinstance(answer, BaseException):
        raise answer
    return answer

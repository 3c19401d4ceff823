"""Asks all questions, keeps every answer as soon as it is there, and counts what they score."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, ValidationError

from cascade_calibration.assistant.models import Model, NoAnswer
from cascade_calibration.assistant.qcaleval import judging, scoring
from cascade_calibration.assistant.qcaleval.samples import METADATA, QUESTIONS, Sample
from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole
from cascade_qec.statistics import Interval, wilson
from cascade_qec.tables import Circumstances, circumstances

Answerer = Callable[[Sample, str], str]
"""Answers a question, by its name, of a sample."""

FIELDS = "Q1 fields"
"""The half of question 1 that needs no judge."""
_MEAN = "mean"


class Run(BaseModel):
    """The first line of a file of answers: what answered what."""

    model: str
    judge: str
    data: str


class Answered(BaseModel):
    """Each other line.

    Attributes
    ----------
    error
        Why there is no answer that could be used; it scores 0.
    marks
        A judge's, for each key point.
    """

    sample: str
    question: str
    answer: str = ""
    error: str = ""
    marks: list[float] | None = None


class ScoreRow(Circumstances):
    """A row of the table: a question's mean score with its 95 % interval.

    Attributes
    ----------
    family
        "all", or one.
    question
        One of the six, "Q1 fields" (the half that no judge is needed for), or "mean": over all six of each sample.
    score
        From 0 to 100, as the authors give it.
    unanswered
        Of those counted, answers that could not be used, which score 0.
    """

    model: str
    judge: str
    data: str
    family: str
    question: str
    score: Interval
    of: int
    unanswered: int


def asking(model: Model) -> Answerer:
    """A model as it is asked in QCalEval's zero-shot setting: the pictures, then the question, and nothing else."""
    return lambda sample, question: model.say("", [*sample.pictures(), sample.prompts[question]])


def run(
    samples: Sequence[Sample],
    answers: Answerer,
    path: Path,
    about: Run,
    *,
    judge: Model | None = None,
    workers: int = 4,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Answered]:
    """Answers to all questions; those that the file has are not asked again, new ones are appended one by one.

    Raises
    ------
    CascadeError
        If the file has answers of another run, or a model cannot be reached: what is there stays.
    """
    done = _kept(path, about)
    have = {(one.sample, one.question) for one in done}
    wanted = [(one, question) for one in samples for question in one.questions()]
    missing = [(one, question) for one, question in wanted if (one.id, question) not in have]

    def answered(sample: Sample, question: str) -> Answered:
        try:
            answer = answers(sample, question)
        except NoAnswer as error:
            return Answered(sample=sample.id, question=question, error=str(error))
        judged = judge is not None and judging.points(sample, question)
        marks = judging.judge(judge, sample, question, answer) if judge and judged else None
        return Answered(sample=sample.id, question=question, answer=answer, marks=marks)

    done_before = len(wanted) - len(missing)
    report(done_before, len(wanted))
    with _appending(path, about, done) as put, ThreadPoolExecutor(workers) as pool:
        started = [pool.submit(answered, *one) for one in missing]
        try:
            for number, future in enumerate(as_completed(started), done_before + 1):
                with suppress(NoAnswer):  # the judge's: the question is asked again next time
                    done.append(future.result())
                    put(done[-1])
                report(number, len(wanted))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return done


def scores(samples: Sequence[Sample], done: Sequence[Answered], about: Run) -> list[ScoreRow]:
    """What the answers score, of all families together and of each."""
    found = {(one.sample, one.question): one for one in done}
    here = circumstances()
    rows: list[ScoreRow] = []
    for family in ["all", *dict.fromkeys(one.family for one in samples)]:
        chosen = [one for one in samples if family in ("all", one.family)]
        counted: dict[str, list[tuple[float, bool]]] = {}
        for sample in chosen:
            own = {
                name: (value, bool(found[sample.id, question].error))
                for question in sample.questions()
                if (sample.id, question) in found
                for name, value in _scored(sample, found[sample.id, question])
            }
            if set(QUESTIONS) <= set(own):
                own[_MEAN] = (sum(own[one][0] for one in QUESTIONS) / len(QUESTIONS), False)
            for name, one in own.items():
                counted.setdefault(name, []).append(one)
        for name in sorted(counted):
            # Wilson's interval is that of right or wrong answers; of marks in between, which vary less, it is too wide
            share = wilson(sum(value for value, _ in counted[name]), len(counted[name]))
            rows.append(
                ScoreRow(
                    **about.model_dump(),
                    family=family,
                    question=name,
                    score=Interval(*(round(100 * end, 2) for end in (share.value, share.low, share.high))),
                    of=len(counted[name]),
                    unanswered=sum(wrong for _, wrong in counted[name]),
                    **here,
                )
            )
    return rows


def about(folder: Path, model: str, judge: str = "") -> Run:
    """What a file of answers says of itself: models, and which samples (by a checksum)."""
    content = (folder / METADATA).read_bytes()
    return Run(model=model, judge=judge, data=hashlib.sha256(content).hexdigest()[:16])


def _scored(sample: Sample, one: Answered) -> Iterator[tuple[str, float]]:
    alone = 0.0 if one.error else scoring.score(sample, one.question, one.answer)
    if one.question == "Q1":
        yield FIELDS, alone or 0.0
    if one.question in ("Q1", "Q3"):
        if one.error or one.marks:
            judged = sum(one.marks) / len(one.marks) if one.marks else 0.0
            yield one.question, ((alone or 0.0) + judged) / 2 if one.question == "Q1" else judged
    elif alone is not None:
        yield one.question, alone


def _kept(path: Path, about: Run) -> list[Answered]:
    """Answers of this run that a file has; the last line may be cut off."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    try:
        before = Run.model_validate_json(lines[0])
        done = [Answered.model_validate_json(line) for line in lines[1:-1]]
    except ValidationError as error:
        raise CascadeError(f"{path}: expected a file of answers to go on with, found another") from error
    if done and before != about:
        raise CascadeError(f"{path}: expected answers of {about}, found those of {before}: name another file")
    return done


@contextmanager
def _appending(path: Path, about: Run, done: Sequence[Answered]) -> Iterator[Callable[[Answered], None]]:
    with written_whole(path) as file:
        file.write("".join(f"{one.model_dump_json()}\n" for one in (about, *done)).encode())
    with path.open("ab", buffering=0) as file:

        def put(one: Answered) -> None:
            file.write(f"{one.model_dump_json()}\n".encode())

        yield put

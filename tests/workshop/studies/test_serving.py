"""The studies of the decoding server, on a small scale."""

from collections import Counter

from cascade_qec.serving import background
from workshop.served import Job
from workshop.studies.serving_load import Load, quantile
from workshop.studies.serving_malformed import BLAMED, DECODER, attack, shout


def test_malformed_messages_are_answered_by_a_sentence_that_blames_the_client() -> None:
    with background([DECODER]) as address:
        for seed in range(5):
            shout(address, seed)
        found = list(attack(address, 300, seed=3))
    assert len({kind for kind, _, _ in found}) == 13
    assert not [answer for answer in found if answer[1] not in BLAMED or not answer[2]]


def test_sessions_under_load_tell_right_from_wrong() -> None:
    job = Job.of("pymatching", "surface_d3", 8, p=0.02, shots=20, seed=1)
    wrong = Job(job.decoder, job.circuit, job.events, ~job.expected)
    with background(["pymatching"]) as address:
        load = Load(int(address.split(":")[1]), [job, wrong], rate=1e4, block=3)
        outcomes = Counter(load.outcome(number) for number in range(4))
    assert outcomes == {"right": 2, "wrong": 2}


def test_quantiles_are_the_ends_of_buckets() -> None:
    buckets = {"0.001": 50, "0.01": 98, "0.1": 100, "+Inf": 100}
    figures = {f'cascade_window_seconds_bucket{{le="{end}"}}': float(count) for end, count in buckets.items()}
    assert quantile(figures, 0.5) == 1
    assert quantile(figures, 0.99) == 100

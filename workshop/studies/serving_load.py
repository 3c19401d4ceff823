"""A decoding server under load: is memory flat, and is every round answered, once?

    python -m workshop.studies.serving_load --sessions 100 --minutes 60 --rate 25 100

Sessions run side by side from one process: each opens an experiment, sends rounds at a steady rate, and compares the
final answer with that of the decoder's own stream; then it opens the next one. A row for every interval at every rate:
results/serving_load.csv.
"""

import argparse
import threading
import time
from collections import Counter
from itertools import count
from pathlib import Path

import numpy as np

from cascade_qec.cli.progress import progress
from cascade_qec.serving import Client
from cascade_qec.tables import Circumstances, circumstances, write_rows
from workshop import RESULTS
from workshop.served import Job, ServerProcess

TABLE = RESULTS / "serving_load.csv"
JOBS = (
    ("pymatching", "surface_d3", 60),
    ("pymatching", "surface_d5", 1000),
    ("cascade:local_surface", "surface_d3", 100),
    ("cascade:surface_d3", "surface_d3", 3),
)
P, SHOTS, SEED, INTERVALS = 0.003, 20, 11, 10


class Row(Circumstances):
    """What happened in an interval.

    Attributes
    ----------
    sessions, rounds_per_second, block
        At a time; that each sends; and how many in one message.
    minutes
        From the start to its end.
    finished, wrong, failed
        Sessions that ended in it: all, those that had another answer or another number of rounds, and those that had
        an error.
    rounds
        That the server received in it.
    megabytes, cpu_seconds
        Of the server: memory at its end, time in it.
    windows, batches
        Decided in it.
    window_ms_p50, window_ms_p99
        From a window's last round to what is decided; the ends of the histogram's buckets.
    finish_ms_p50, finish_ms_p99
        From sending the readout to having the final answer, as clients see it.
    behind
        Rounds that could have been decided at its end and were not, of all sessions.
    """

    sessions: int
    rounds_per_second: float
    block: int
    minutes: float
    finished: int
    wrong: int
    failed: int
    rounds: int
    megabytes: float
    cpu_seconds: float
    windows: int
    batches: int
    window_ms_p50: float
    window_ms_p99: float
    finish_ms_p50: float
    finish_ms_p99: float
    behind: int


class Load:
    """Sessions that go on until they are stopped, and what became of them."""

    def __init__(self, port: int, jobs: list[Job], *, rate: float, block: int) -> None:
        self._client, self._jobs, self._rate, self._block = Client(f"127.0.0.1:{port}"), jobs, rate, block
        self._lock, self._numbers, self._stopped = threading.Lock(), count(), threading.Event()
        self._outcomes: Counter[str] = Counter()
        self._seconds: list[float] = []

    def run(self, number: int) -> None:
        """One session after another."""
        time.sleep(number % 100 / 100 * self._block / self._rate)  # not all in step
        while not self._stopped.is_set():
            self.outcome(next(self._numbers))

    def outcome(self, turn: int) -> str:
        """Run a session, and say what became of it."""
        job, shot = self._jobs[turn % len(self._jobs)], turn // len(self._jobs) % SHOTS
        seconds = 0.0
        try:
            outcome, seconds = self._session(job, shot)
        except (ValueError, OSError) as error:
            outcome = f"{type(error).__name__}: {error}"
        with self._lock:
            self._outcomes[outcome] += 1
            self._seconds.append(seconds)
        return outcome

    def stop(self) -> None:
        """Let sessions end."""
        self._stopped.set()

    def taken(self) -> tuple[Counter[str], list[float]]:
        """What became of sessions since it was last asked, and how long their final answers took."""
        with self._lock:
            found = self._outcomes, self._seconds
            self._outcomes, self._seconds = Counter(), []
        return found

    def _session(self, job: Job, shot: int) -> tuple[str, float]:
        with self._client.open(job.circuit, job.decoder) as stream:
            *blocks, readout = job.blocks(stream, shot, self._block)
            due = time.monotonic()
            for block in blocks:
                time.sleep(max(0.0, due - time.monotonic()))
                before = stream.rounds
                stream.push(block)
                due += (stream.rounds - before) / self._rate
            started = time.monotonic()
            result = stream.finish(readout)
            return "right" if job.right(stream, shot, result.observables) else "wrong", time.monotonic() - started


def measure(sessions: int, minutes: float, rate: float, block: int) -> list[Row]:
    """Load a server."""
    jobs = [Job.of(*job, p=P, shots=SHOTS, seed=SEED) for job in JOBS]
    rows: list[Row] = []
    with ServerProcess([*dict.fromkeys(job.decoder for job in jobs)]) as server, progress("intervals") as report:
        load = Load(server.port, jobs, rate=rate, block=block)
        threads = [threading.Thread(target=load.run, args=(number,)) for number in range(sessions)]
        for thread in threads:
            thread.start()
        begun, then, cpu = time.monotonic(), server.figures(), server.cpu_seconds
        for interval in range(1, INTERVALS + 1):
            if interval == INTERVALS:
                load.stop()
                for thread in threads:
                    thread.join()
            else:
                time.sleep(max(0.0, begun + 60 * minutes * interval / INTERVALS - time.monotonic()))
            now, used = server.figures(), server.cpu_seconds
            outcomes, seconds = load.taken()
            for outcome in set(outcomes) - {"right", "wrong"}:
                print(f"{outcomes[outcome]} sessions: {outcome}")
            change = {name: value - then.get(name, 0) for name, value in now.items()}
            finish = np.quantile([0.0, *seconds], [0.5, 0.99]) * 1000
            rows.append(
                Row(
                    sessions=sessions,
                    rounds_per_second=rate,
                    block=block,
                    minutes=round((time.monotonic() - begun) / 60, 2),
                    finished=outcomes.total(),
                    wrong=outcomes["wrong"],
                    failed=outcomes.total() - outcomes["right"] - outcomes["wrong"],
                    rounds=int(change["cascade_rounds_total"]),
                    megabytes=round(server.megabytes, 1),
                    cpu_seconds=round(used - cpu, 2),
                    windows=int(change["cascade_batch_windows_sum"]),
                    batches=int(change["cascade_batch_windows_count"]),
                    window_ms_p50=quantile(change, 0.5),
                    window_ms_p99=quantile(change, 0.99),
                    finish_ms_p50=round(finish[0], 2),
                    finish_ms_p99=round(finish[1], 2),
                    behind=int(now["cascade_rounds_behind"]),
                    **circumstances(),
                )
            )
            then, cpu = now, used
            report(interval, INTERVALS, f"{rows[-1].finished} sessions, {rows[-1].megabytes} MB")
    return rows


def quantile(figures: dict[str, float], share: float) -> float:
    """Milliseconds within which such a share of windows was decided: the end of a bucket."""
    buckets = {
        float(name.split('"')[1]): value
        for name, value in figures.items()
        if name.startswith("cascade_window_seconds_bucket")
    }
    return next((1000 * end for end, within in sorted(buckets.items()) if within >= share * max(buckets.values())), 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=[100], nargs="+", help="rounds a second that each session sends")
    parser.add_argument("--block", type=int, default=20, help="rounds in a message")
    parser.add_argument("--out", type=Path, default=TABLE)
    given = parser.parse_args()
    rows = [row for rate in given.rate for row in measure(given.sessions, given.minutes, rate, given.block)]
    write_rows(given.out, rows)


if __name__ == "__main__":
    main()

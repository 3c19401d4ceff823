"""Clients and servers that are killed: does every session finish right, or end with a clear error?

    python -m workshop.studies.serving_kills --kills 100

Processes of clients run sessions one after another against a server; at random moments one of them, or the server, is
killed without a word and started again. Every session that is not killed itself says what became of it:
results/serving_kills.csv.
"""

import argparse
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from cascade_qec.cli.progress import progress
from cascade_qec.serving import Client
from cascade_qec.tables import Circumstances, circumstances, write_rows
from workshop import CHECKOUT, RESULTS
from workshop.served import Job, ServerProcess

TABLE = RESULTS / "serving_kills.csv"
DECODER, CODE, ROUNDS, P, SHOTS, SEED = "pymatching", "surface_d3", 300, 0.003, 10, 12
CLIENTS, SESSIONS, BLOCK, PAUSE = 3, 4, 10, 0.02
AGAIN = 0.5
"""Seconds until a session is opened again that a server has left."""


class Row(Circumstances):
    """What became of all sessions.

    Attributes
    ----------
    kills_of_server, kills_of_clients
    sessions
        That opened, and were not killed themselves.
    right
        That finished with the answer of the decoder's own stream, all rounds decided.
    told
        That ended with an error that says that the server is gone.
    refused
        Attempts to open a session while there was no server, each with such an error.
    wrong
        All others: another answer, another error, or none within a minute.
    left_open
        Sessions that the last server still had when all clients were gone.
    """

    kills_of_server: int
    kills_of_clients: int
    sessions: int
    right: int
    told: int
    refused: int
    wrong: int
    left_open: int
    seed: int


def session(client: Client, job: Job, shot: int) -> str:
    """Run one, and say what became of it."""
    try:
        stream = client.open(job.circuit, job.decoder)
    except ConnectionError:
        return "refused"
    try:
        *blocks, readout = job.blocks(stream, shot, BLOCK)
        for block in blocks:
            stream.push(block)
            time.sleep(PAUSE)
        return "right" if job.right(stream, shot, stream.finish(readout).observables) else "wrong answer"
    except ConnectionError as error:
        return "told" if "decoding server: " in str(error) else f"wrong error {error}"
    except (ValueError, OSError) as error:
        return f"wrong error {type(error).__name__} {error}"
    finally:
        stream.close()


def run_client(port: int) -> None:
    """Run sessions side by side, and print what becomes of each, until a line comes in."""
    job = Job.of(DECODER, CODE, ROUNDS, p=P, shots=SHOTS, seed=SEED)
    stopped, saying = threading.Event(), threading.Lock()

    def run(number: int) -> None:
        with Client(f"127.0.0.1:{port}") as client:
            while not stopped.is_set():
                outcome = session(client, job, number % SHOTS)
                with saying:
                    print(outcome, flush=True)
                if outcome != "right":
                    time.sleep(AGAIN)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(SESSIONS)]
    for thread in threads:
        thread.start()
    sys.stdin.readline()
    stopped.set()
    for thread in threads:
        thread.join()


class ClientProcess:
    """A process of clients, until it ends or is killed."""

    def __init__(self, port: int, outcomes: Counter[str]) -> None:
        words = [sys.executable, "-m", "workshop.studies.serving_kills", "--client", str(port)]
        self._process = subprocess.Popen(words, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, args=(outcomes,))
        self._reader.start()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._close()

    def finish(self) -> None:
        """Let its sessions end."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._close()

    def _close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=120)
        self._reader.join()

    def _read(self, outcomes: Counter[str]) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith("\n"):  # or it was killed while it said so
                outcomes[line.strip()] += 1


def measure(kills: int, seed: int) -> Row:
    """Kill so many processes."""
    chance, outcomes, killed = random.Random(seed), Counter[str](), Counter[str]()
    server = ServerProcess([DECODER])
    port = server.port
    clients = [ClientProcess(port, outcomes) for _ in range(CLIENTS)]
    with progress("kills") as report:
        for number in range(kills):
            time.sleep(chance.uniform(0, 4))
            if not server.alive:
                raise RuntimeError("the server died by itself")
            which = chance.randrange(2 * CLIENTS)
            if which < CLIENTS:
                clients[which].kill()
                clients[which] = ClientProcess(port, outcomes)
                killed["client"] += 1
            else:
                server.kill()
                server = ServerProcess([DECODER], port=port)
                killed["server"] += 1
            report(number + 1, kills, str(dict(outcomes)))
    with server:
        time.sleep(5)  # so that sessions of the last ones finish, too
        for client in clients:
            client.finish()
        left = server.figures()["cascade_sessions"]
    for outcome in set(outcomes) - {"right", "told", "refused"}:
        print(f"{outcomes[outcome]} sessions: {outcome}")
    good = outcomes["right"] + outcomes["told"]
    return Row(
        kills_of_server=killed["server"],
        kills_of_clients=killed["client"],
        sessions=outcomes.total() - outcomes["refused"],
        right=outcomes["right"],
        told=outcomes["told"],
        refused=outcomes["refused"],
        wrong=outcomes.total() - outcomes["refused"] - good,
        left_open=int(left),
        seed=seed,
        **circumstances(),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=TABLE)
    parser.add_argument("--client", type=int, metavar="PORT", help="be one of the clients")
    given = parser.parse_args()
    if given.client is not None:
        run_client(given.client)
    else:
        write_rows(given.out, [measure(given.kills, given.seed)])


if __name__ == "__main__":
    main()

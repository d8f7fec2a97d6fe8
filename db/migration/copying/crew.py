"""Workers beside each other: PostgreSQL and Python each have a processor then.

They share nothing but the tables of `standing.py`. One that dies takes only its piece with it, and the copy ends with an error: it goes
on when it is called again. When whoever started them dies, their next word to him ends them.
"""

import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path

import psycopg

from db.migration.copying.checks import CopyRefused
from db.migration.copying.sessions import connected
from db.migration.copying.standing import Standing
from db.migration.copying.worker import Tell, Worker
from db.migration.plan_words import Plan


def work_together(dsn: str, run: int, plan: Plan, snapshots: dict[str, Path], *, workers: int, tell: Tell) -> None:
    """Copy every piece that is not done. Raises: psycopg.Error with one worker, else CopyRefused with its words."""
    if workers == 1:
        _work(dsn, run, plan, snapshots, tell)
        return
    # fork: they start at once, and what is imported they have in common.
    context = multiprocessing.get_context("fork")
    heard: dict[Connection, str] = {}
    processes = []
    for number in range(workers):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_worker, args=(theirs, dsn, run, plan, snapshots), name=f"copy {number}")
        process.start()
        theirs.close()
        heard[ours] = "it was killed"
        processes.append(process)
    failed = list(_until_all_end(heard, tell))
    for process in processes:
        process.join()
    if failed:
        raise CopyRefused(
            f"a worker ended before its work was done: {'; '.join(failed)}; run it again to go on from there"
        )


def _until_all_end(heard: dict[Connection, str], tell: Tell) -> Iterator[str]:
    while heard:
        for one in wait(list(heard)):
            assert isinstance(one, Connection)
            try:
                word = one.recv()
            except EOFError:
                if said := heard.pop(one):
                    yield said
                continue
            if isinstance(word, str):
                heard[one] = word
            else:
                tell(*word)


def _worker(pipe: Connection, dsn: str, run: int, plan: Plan, snapshots: dict[str, Path]) -> None:
    try:
        _work(dsn, run, plan, snapshots, lambda number, rows: pipe.send((number, rows)))
        pipe.send("")
    except psycopg.Error as error:
        pipe.send(str(error).strip())
    except BrokenPipeError:
        return


def _work(dsn: str, run: int, plan: Plan, snapshots: dict[str, Path], tell: Tell) -> None:
    with connected(dsn) as connection:
        standing = Standing(connection, plan)
        standing.run = run
        Worker(standing, plan, snapshots, tell).work()

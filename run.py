"""The front door: the command tree, and the one place that decides how a command's failure ends.

    python run.py COMMAND --help

Exit 0: done. 1: it ran, and the answer is no. 2: wrong use or configuration. 69: a server or an answer was missing, the outcome
is unknown. 70: internal fault. What is asked over NATS lives in bus/commands, what touches the database in db/commands.
"""

import sys
import traceback
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Parameter
from loguru import logger

import db.commands as database
from bus.commands import check, contract, events, settings, stop, system, trade
from bus.commands.nats_checks import nats_answers
from config.checks import this_machine
from config.command_line import Exit, NoAnswer, Refused, WrongUse, complain
from config.logging import mask_in_text
from config.settings import ConfigurationError
from config.version import VERSION
from db.check import postgres_answers

app = App(
    name="run.py",
    help="Watchkeeper keeps watch over open trades.",
    version=VERSION,
    default_parameter=Parameter(negative=()),
)
ROOMS = (database, trade, stop, settings, system, events)
for room in ROOMS:
    app.command(room.app)
app.command(check.command((this_machine, nats_answers, postgres_answers)), name="check")
# Every command with --json has its document here, so that `contract` knows it.
DOCUMENTS = {words: shape for room in (check, *ROOMS) for words, shape in room.DOCUMENTS.items()}
app.command(contract.command(DOCUMENTS), name="contract")


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns how it ended."""
    logger.configure(handlers=[{"sink": sys.stderr, "level": "WARNING", "diagnose": False}])
    try:
        return int(app(arguments, exit_on_error=False, result_action="return_value") or Exit.DONE)
    except CycloptsError:
        return Exit.WRONG_USE
    except (ConfigurationError, WrongUse) as error:
        complain(str(error))
        return Exit.WRONG_USE
    except NoAnswer as error:
        complain(str(error))
        return Exit.NO_ANSWER
    except Refused as error:
        complain(str(error))
        return Exit.NO
    except KeyboardInterrupt:
        return Exit.DONE
    except Exception:  # noqa: BLE001  # the door: nothing passes it but an exit code
        complain(mask_in_text(traceback.format_exc()) + "This is a fault of Watchkeeper: please report it.")
        return Exit.INTERNAL_FAULT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

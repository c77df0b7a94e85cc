"""The entry point: the table of verbs, and what becomes of an error.

A verb is added by a line in `VERBS` and a module that has the command; nothing of a verb is
imported here.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

import click

from tailrace._version import __version__
from tailrace.cli.lazy import LazyGroup, Verb
from tailrace.cli.printable import printable
from tailrace.errors import TailraceError

PROGRAM = "tailrace"

EXIT_ERROR = 2
"""A mistake of the user's: in the arguments, in the pipeline file, in what it points at."""
EXIT_INTERRUPTED = 130
"""Ctrl-C, as shells count it: 128 + SIGINT."""

VERBS = {
    "check": Verb("tailrace.cli.check:command", "Check a pipeline file and say what is wrong."),
    "init": Verb("tailrace.cli.init:command", "Make what a pipeline needs on its servers."),
    "run": Verb("tailrace.cli.run:command", "Run a pipeline: events in, alerts out."),
    "test": Verb("tailrace.cli.test:command", "Run the rule tests of a pipeline."),
    "backtest": Verb(
        "tailrace.cli.backtest:command", "Say what rules would have done over recorded input."
    ),
    "explain": Verb(
        "tailrace.cli.explain:command", "Show how a pipeline is computed, or why a rule fired."
    ),
    "dead-letters": Verb(
        "tailrace.cli.dead_letters:command", "List, show and replay records that did not decode."
    ),
    "outbox": Verb(
        "tailrace.cli.outbox:command", "Show what waits for outputs; drop what nobody takes."
    ),
    "generate": Verb("tailrace.cli.generate:command", "Write made-up traffic to try rules on."),
    "capture": Verb(
        "tailrace.cli.capture:command", "Capture packets: show them, write a file, fill a topic."
    ),
    "consume": Verb("tailrace.cli.consume:command", "Show the messages of a Kafka topic."),
    "package": Verb("tailrace.cli.package:command", "Pack Python and a pipeline for Spark."),
    "import": Verb(
        "tailrace.cli.import_:command", "Write a pipeline from another program's configuration."
    ),
    "schema": Verb("tailrace.cli.schema:command", "Print the JSON schema of the pipeline file."),
    "status": Verb("tailrace.cli.status:command", "Show how a pipeline stands."),
    "query": Verb("tailrace.cli.query:command", "Ask a pipeline's store a question in SQL."),
    "verdicts": Verb(
        "tailrace.cli.verdicts:command", "Show who is listed as an offender; ban and allow by hand."
    ),
    "lookup": Verb("tailrace.cli.lookup:command", "Say whether a key is listed, and why."),
    "demo": Verb("tailrace.cli.demo:command", "Watch a pipeline detect attacks in made-up logs."),
    "completion": Verb("tailrace.cli.completion:command", "Print the shell completion script."),
}


@click.group(
    cls=LazyGroup,
    subcommand_metavar="VERB [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="'tailrace VERB --help' explains a verb. TAILRACE_DEBUG=1 shows tracebacks of errors.",
)
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
def cli() -> None:
    """Turn live logs into detections."""


cli.verbs = VERBS


def main() -> None:
    """Run the command line on ``sys.argv`` and exit.

    Exit codes: 0; what the verb returned or exited with; 2 for a mistake of the user's; 130 after
    Ctrl-C. A reader that went away (``tailrace query ... | head``) ends the command without a word.
    """
    code = run(sys.argv[1:])
    if len(threading.enumerate()) > 1:
        # A call of a server that doesn't answer was left behind. Everything that counts is on disk;
        # an ordinary exit would wait for that call, and libraries complain of what it holds.
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(args: list[str]) -> int:
    """Run the command line on `args` and return its exit code."""
    try:
        outcome = cli.main(args, prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
    except TailraceError as error:
        if os.environ.get("TAILRACE_DEBUG") == "1":
            raise
        click.echo(f"{PROGRAM}: {printable(error.render())}", err=True)
        return EXIT_ERROR
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Python flushes stdout once more at exit; without this it would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return outcome if isinstance(outcome, int) else 0


if __name__ == "__main__":
    main()

"""`cilsim completion`: the script that teaches a shell our commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from cilsim.cli.settings import shared_options

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@shared_options
def completion(shell: str) -> None:
    """Print a completion script.

    For bash: eval "$(cilsim completion bash)"
    """
    from cilsim.cli.main import cilsim

    script = get_completion_class(shell)
    assert script is not None  # click knows all of SHELLS
    click.echo(script(cilsim, {}, "cilsim", "_CILSIM_COMPLETE").source())

"""The guide's examples do what they say: every one of them is run."""

import asyncio
import re
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from .conftest import Simulator

GUIDE = Path(__file__).parents[3] / "docs" / "simulator.md"
EXAMPLES = re.findall(r"^```bash\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples need curl")
@pytest.mark.parametrize("number", range(len(EXAMPLES)))
async def test_the_guides_examples_run(simulator: Simulator, number: int) -> None:
    script = (
        EXAMPLES[number].replace("http://localhost:8090", simulator.url).replace("curl ", "curl -sS --fail-with-body ")
    )
    process = await asyncio.create_subprocess_exec("bash", "-e", "-c", script, stdout=PIPE, stderr=PIPE)
    output, errors = await process.communicate()
    assert process.returncode == 0, (output + errors).decode()


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 7

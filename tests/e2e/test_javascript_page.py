"""docs/javascript.md: its code runs in Node and in a browser, and prints what stands there."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.examples import blocks, printed_lines
from tests.e2e.http.browser import needs_browser, page_in_browser, served_pages
from tests.e2e.service import Service

CODE = "\n".join(blocks("docs/javascript.md", "js"))
NODE = shutil.which("node")
FOLLOW = """
const { id } = await call("/task/new/slow", { method: "POST", body: '{"seconds": 0.3}', headers: JSON_TYPE });
const seen = [];
await new Promise((resolve) => follow(id, (task) => { seen.push(task.status); if (isFinal(task)) resolve(); }));
console.log(seen.at(-1));
"""
REST = """
const JSON_TYPE = { "Content-Type": "application/json" };
console.log((await watch(0, () => {})).length);
console.log(await dataUrl(new Blob(["abc"], { type: "text/plain" })));
"""
"""Uses of the functions that the page only defines."""


def code_for(service: Service) -> str:
    assert "http://localhost:5000" in CODE
    return CODE.replace("http://localhost:5000", f"http://127.0.0.1:{service.port}")


@pytest.mark.skipif(NODE is None, reason="this machine has no Node to run the examples with")
def test_the_code_runs_in_node(service: Service, tmp_path: Path) -> None:
    script = tmp_path / "page.mjs"
    script.write_text(code_for(service))
    done = subprocess.run([str(NODE), script], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.splitlines() == printed_lines(CODE, "console.log", "//")


@needs_browser
def test_the_code_runs_on_a_page_of_another_origin(new_service: Callable[..., Service], tmp_path: Path) -> None:
    with served_pages() as pages:
        origin = f"http://127.0.0.1:{pages.server_port}"
        service = new_service(FRONTEND_URL=origin, TASKS=f"tasks/tasks.py,{Path(__file__).parent / 'functions.py'}")
        service.start("http")
        service.start("handler")
        service.await_ready("add", "slow")
        pages.page = f"""<body><pre></pre><script type="module">
            const show = (...parts) => document.querySelector("pre").append(parts.join(" ") + "\\n");
            console.log = show;
            try {{ {code_for(service)} {REST} {FOLLOW} }} catch (error) {{ show(`${{error.stack}}`) }}
        </script>"""
        shown = page_in_browser(f"{origin}/", tmp_path / "profile")
    (text,) = re.findall(r"<pre>(.*?)</pre>", shown, re.DOTALL)
    assert text.splitlines()[-3:] == ["1", "data:text/plain;base64,YWJj", "done"], text

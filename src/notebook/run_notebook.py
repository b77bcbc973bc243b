"""Executes one notebook with nbclient; the last line of standard output is a JSON record of how it went.

Called by run.ts, which sets up the environment. Stops at the first failure; the written copy holds the outputs so far.
"""

import argparse
import asyncio
import json
import os
import time

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

# Runs after the last cell: waits for work that no cell awaited, so that its failure is seen.
SETTLE = """await (globalThis as unknown as Record<symbol, { settle(limit: number): Promise<void> }>)[
  Symbol.for("ift-kit.notebook-kernel")
]?.settle(5000);"""


def failure(status, name, value, traceback=()):
    return {"status": status, "name": name, "value": value, "traceback": list(traceback)}


def execute(notebook, kernel, folder, timeout):
    """Runs all cells and returns the record, without timing."""
    place = {"cell": 0, "source": ""}

    def starts(cell, cell_index):
        place.update(cell=place["cell"] + 1, source=cell.source)

    def ended(cell, cell_index, execute_reply):
        if execute_reply["content"]["status"] not in ("ok", "error"):
            raise DeadKernelError("the kernel refused the cell")

    settle = nbformat.v4.new_code_cell(SETTLE)
    cells = notebook.cells
    notebook.cells = [*cells, settle]
    client = NotebookClient(
        notebook,
        kernel_name=kernel,
        timeout=None,  # the limit is on the whole notebook
        startup_timeout=120,
        record_timing=False,
        force_raise_errors=True,
        on_cell_execute=starts,
        on_cell_executed=ended,
        resources={"metadata": {"path": folder}},
    )
    began = time.monotonic()
    try:
        asyncio.run(asyncio.wait_for(client.async_execute(), timeout))
        record = {"status": "ok"}
    except CellExecutionError as error:
        outputs = [o for cell in notebook.cells for o in cell.get("outputs", []) if o.output_type == "error"]
        record = failure("error", error.ename, error.evalue, outputs[-1].traceback if outputs else ())
    except NoSuchKernel:
        record = failure("no-kernel", "NoSuchKernel", kernel)
    except (asyncio.TimeoutError, CellTimeoutError, DeadKernelError) as error:
        late = time.monotonic() - began >= timeout
        record = failure("timeout" if late else "dead", type(error).__name__, str(error))
    except RuntimeError as error:  # the kernel did not start
        record = failure("dead", type(error).__name__, str(error))
    finally:
        notebook.cells = cells
    after_last = place["source"] == SETTLE
    return {**record, **place, "afterLast": after_last, "cell": place["cell"] - after_last}


def merge_streams(outputs):
    """Joins neighbouring pieces of one stream, as a front end shows them."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last and last.output_type == output.output_type == "stream" and last.name == output.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def write(notebook, path):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = merge_streams(cell.outputs)
    temporary = f"{path}.{os.getpid()}.part"
    with open(temporary, "w", encoding="utf-8") as file:
        nbformat.write(notebook, file)
    os.replace(temporary, path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("notebook")
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--folder", required=True, help="working directory of the kernel")
    parser.add_argument("--timeout", type=float, required=True, help="seconds for the whole notebook")
    parser.add_argument("--output")
    parser.add_argument("--only-good", action="store_true", help="write the output of a good run only")
    options = parser.parse_args()
    notebook = nbformat.read(options.notebook, as_version=4)
    began = time.monotonic()
    record = execute(notebook, options.kernel, options.folder, options.timeout)
    if options.output and (record["status"] == "ok" or not options.only_good):
        write(notebook, options.output)
    print("\n" + json.dumps({**record, "seconds": round(time.monotonic() - began, 2)}))


main()

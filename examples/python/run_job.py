"""Sends a job to Devloop and prints its answer. Needs nothing but Temporal's SDK.

usage: TEMPORAL_ADDRESS=localhost:7233 python run_job.py "Say hello in one short sentence." [session]
"""

import asyncio
import os
import sys
import uuid

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.envconfig import ClientConfig


async def main(text: str, session: str = "default") -> int:
    client = await Client.connect(**ClientConfig.load_client_connect_config())
    job = await client.start_workflow(
        "AgentJob",
        {"input": text, "session": session, "project": "python-example"},
        id=f"agent-job/{uuid.uuid4()}",
        task_queue="devloop",
        # With an id of your own, submitting again finds the first job instead of starting a second one.
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    try:
        answer = await job.result()
    except WorkflowFailureError as error:
        # The type of the cause is one of the contract's codes, such as NO_CAPACITY.
        print(f"{getattr(error.cause, 'type', 'FAILED')}: {error.cause}", file=sys.stderr)
        return 1
    print(answer["output"])
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    code = asyncio.run(main(*sys.argv[1:3]))
    # Temporal's SDK (1.27 to 1.35) now and then aborts the interpreter while that shuts down: the exit code shall be ours.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

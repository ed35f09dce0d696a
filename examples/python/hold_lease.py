"""Starts a session, takes a lease on its pod, asks the model over HTTP, gives the lease back and stops the session.

usage: TEMPORAL_ADDRESS=localhost:7233 DEVLOOP_GATE_SECRET=... python hold_lease.py [session]
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import sys
import urllib.request
import uuid

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.envconfig import ClientConfig

ASK_AGAIN_SECONDS = 5


def token(pod_name: str) -> str:
    secret = os.environ["DEVLOOP_GATE_SECRET"].encode()
    return base64.urlsafe_b64encode(hmac.new(secret, pod_name.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()


async def lease_on(session: WorkflowHandle, lease_id: str) -> dict:
    """Waits in the session's queue. A lease ends by itself 120 s after its holder last asked for it."""
    request = {"leaseId": lease_id, "holder": {"kind": "external"}, "label": "python example"}
    while True:
        answer = await session.execute_update("requestLease", request)
        if answer["state"] == "granted":
            return answer["grant"]
        await asyncio.sleep(ASK_AGAIN_SECONDS)


def ask(grant: dict, text: str) -> str:
    """Ollama and OpenAI-compatible servers understand this alike."""
    body = {"model": grant["model"], "messages": [{"role": "user", "content": text}], "max_tokens": 32}
    headers = {"Authorization": f"Bearer {token(grant['podName'])}", "Content-Type": "application/json"}
    url = f"{grant['endpoint']}/v1/chat/completions"
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=100) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]


async def main(name: str = "python-example") -> None:
    client = await Client.connect(**ClientConfig.load_client_connect_config())
    session = await client.start_workflow(
        "PodSession",
        {"session": name, "idleTimeoutSeconds": 60, "startedBy": "python example"},
        id=f"pod-session/{name}",
        task_queue="devloop",
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    lease_id = f"python-{uuid.uuid4()}"
    try:
        grant = await lease_on(session, lease_id)
        print(await asyncio.to_thread(ask, grant, "Say hello in one short sentence."))
    finally:
        await session.signal("releaseLease", {"leaseId": lease_id})
        await session.signal("stop", {"reason": "the example is over"})
    record = await session.result()
    print(f"session {record['session']} cost {record['costUsd']:.4f} dollars and stopped: {record['stopReason']}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:2]))
    # Temporal's SDK (1.27 to 1.35) now and then aborts the interpreter while that shuts down.
    sys.stdout.flush()
    os._exit(0)

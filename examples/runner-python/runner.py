"""A runner for Devloop's jobs: an activity on a task queue of its own."""

import asyncio
import contextvars
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from pod import pod_errors, post

BEAT_EVERY_SECONDS = 5
# A pod that nobody uses ends itself; while this works in silence, a touch is the use.
TOUCH_EVERY_SECONDS = 60


@activity.defn(name="devloopRunnerStory")
def tell_story(job):
    """Asks the pod's model by the API that both of Devloop's model servers have, and answers what it said."""
    lease, given = job["lease"], job["input"]
    messages = [{"role": "user", "content": given}] if isinstance(given, str) else given
    wanted = {
        "model": lease["model"],
        "messages": messages,
        "max_tokens": 200,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    output, usage, done = "", {}, threading.Event()
    # Heartbeats are this activity's: the thread needs its context.
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(stay_alive, lease, done), daemon=True).start()
    try:
        with pod_errors(), post(lease, "/v1/chat/completions", wanted) as answer:
            for line in answer:
                if not line.startswith(b"data: {"):
                    continue
                chunk = json.loads(line[6:])
                for choice in chunk.get("choices", []):
                    output += choice["delta"].get("content") or ""
                usage = chunk.get("usage") or usage
                activity.heartbeat()
    finally:
        done.set()
    tokens = {"inputTokens": usage.get("prompt_tokens"), "outputTokens": usage.get("completion_tokens")}
    return {"output": output, "messages": [*messages, {"role": "assistant", "content": output}], "usage": tokens}


def stay_alive(lease, done):
    touched = time.monotonic()
    while not done.wait(BEAT_EVERY_SECONDS):
        activity.heartbeat()
        if time.monotonic() - touched < TOUCH_EVERY_SECONDS:
            continue
        touched = time.monotonic()
        with suppress(OSError, HTTPException):
            post(lease, "/devloop/touch").close()


async def main():
    client = await Client.connect(
        os.environ.get("TEMPORAL_ADDRESS", "127.0.0.1:7233"),
        namespace=os.environ.get("TEMPORAL_NAMESPACE", "default"),
    )
    with ThreadPoolExecutor(4) as threads:
        worker = Worker(client, task_queue="story-teller", activities=[tell_story], activity_executor=threads)
        await worker.run()


if __name__ == "__main__":
    asyncio.run(main())

"""Devloop on one page: sessions, jobs and costs, read from the control API.

    pip install -r docs/requirements.txt
    DEVLOOP_CONTROL_URL=http://127.0.0.1:8787 DEVLOOP_CONTROL_TOKEN=... streamlit run docs/streamlit_app.py
"""

import json
import os
import urllib.error
import urllib.request

import streamlit as st

URL = os.environ.get("DEVLOOP_CONTROL_URL", "http://127.0.0.1:8787").rstrip("/")
TOKEN = os.environ.get("DEVLOOP_CONTROL_TOKEN", "")
TIMEOUT_SECONDS = 30


class Away(Exception):
    """The API gave no answer that could be shown; says why and what to do."""


def ask(path: str) -> dict:
    request = urllib.request.Request(URL + path, headers={"Authorization": f"Bearer {TOKEN}"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 401:
            raise Away("The control API refuses the token: set DEVLOOP_CONTROL_TOKEN to the server's.") from error
        try:
            detail = json.load(error).get("detail", "")
        except ValueError:
            detail = ""
        raise Away(f"The control API answers {error.code}: {detail}") from error
    except (OSError, ValueError) as error:
        message = f"No control API at {URL} ({error}). Start one with devloop control, or set DEVLOOP_CONTROL_URL."
        raise Away(message) from error


def usd(amount: float) -> str:
    return f"${amount:.2f}" if amount >= 1 else f"${amount:.4f}"


def show_sessions(sessions: list[dict], unanswered: list[dict]) -> None:
    st.header("Sessions now")
    if not sessions and not unanswered:
        st.write("No session runs: nothing is being paid.")
    rows = [
        {
            "session": one["session"],
            "phase": one["phase"],
            "GPU": one.get("pod", {}).get("gpu", "-"),
            "cost": usd(one["costUsd"]),
            "users": len(one["leases"]),
            "waiting": one["queued"],
            "why": one["why"],
        }
        for one in sessions
    ]
    if rows:
        st.dataframe(rows, hide_index=True, key="sessions")
    for one in unanswered:
        st.warning(f"Session {one['session']} could not be asked ({one['code']}).")


def show_costs(costs: dict) -> None:
    st.header(f"Costs since {costs['since'][:10]}")
    shares = costs["shares"]
    figures = [("Total", costs["totalUsd"]), ("An hour, now", costs["perHourNowUsd"])]
    figures += [("In use", shares["busyUsd"]), ("Booting", shares["bootUsd"]), ("Unused", shares["idleUsd"])]
    for column, (label, amount) in zip(st.columns(len(figures)), figures):
        column.metric(label, usd(amount))
    # A project may have any name: it is data here, never the name of a column.
    days = [
        {"day": day["day"], "project": part["project"], "US dollars": part["usd"]}
        for day in costs["perDay"]
        for part in day["byProject"] or [{"project": "none", "usd": 0}]
    ]
    st.subheader("Per day")
    st.bar_chart(days, x="day", y="US dollars", color="project")
    projects = [{"project": one["project"], "US dollars": one["usd"]} for one in costs["perProject"]]
    st.subheader("Per project")
    if projects:
        st.bar_chart(projects, x="project", y="US dollars", horizontal=True)
    else:
        st.write("Nobody has used anything.")
    for problem in costs["problems"]:
        st.warning(f"Not in the figures: {problem}")


def show_jobs(jobs: list[dict]) -> None:
    st.header("The last 10 jobs")
    fields = ["jobId", "session", "project", "state", "startedAt", "endedAt"]
    rows = [{field: job.get(field, "-") for field in fields} for job in jobs]
    if rows:
        st.dataframe(rows, hide_index=True, key="jobs")
    else:
        st.write("No job has run yet.")


st.set_page_config(page_title="Devloop", layout="wide")
st.title("Devloop")
days = st.selectbox("Costs of the last", [7, 30, 90], format_func=lambda count: f"{count} days")
try:
    listed = ask("/control/sessions")
    costs = ask(f"/costs?since={days}d")
    jobs = ask("/jobs?limit=10")["jobs"]
except Away as away:
    st.error(str(away))
    st.stop()
show_sessions(listed["sessions"], listed["unanswered"])
show_costs(costs)
show_jobs(jobs)

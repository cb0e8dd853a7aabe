// Shows what /metrics?format=json says, asked every two seconds. Rates are differences between what
// this page has seen: counters never fall, but a cluster that was started anew begins at nothing.
"use strict";

const EVERY_MS = 2000;
const WINDOW_S = 300;
const KEPT_S = 1800;
const STAGES = [
  ["eager_endpoint", "Eager endpoint"], ["final_transcript", "Final transcript"],
  ["committed", "Turn taken"], ["think_requested", "Model asked"], ["first_token", "First token"],
  ["first_segment", "First segment"], ["speak_requested", "Voice asked"],
  ["speak_first_byte", "First audio"], ["first_frame_out", "First frame out"],
];
const seen = []; // what was read, oldest first: {at, calls, answers, answer_s, refused, failed, lost}

const get = (id) => document.getElementById(id);
const number = (value, digits = 0) =>
  (value ?? 0).toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });
const ms = (seconds) => (seconds == null ? "–" : `${number(1000 * seconds)} ms`);
const sum = (counts) => Object.values(counts ?? {}).reduce((all, one) => all + one, 0);
const megabytes = (bytes) => `${number(bytes / 1048576)} MB`;
const dollars = (usd, digits = 2) => `$${number(usd, digits)}`;

function node(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function table(id, heads, rows, nothing) {
  const body = rows.map((cells) => {
    const row = node("tr");
    row.append(...cells.map((cell) => (cell instanceof Node ? cell : node("td", cell))));
    return row;
  });
  const top = node("tr");
  top.append(...heads.map((head) => node("th", head)));
  const none = node("tr");
  none.append(node("td", nothing, "soft"));
  get(id).replaceChildren(...(rows.length ? [top, ...body] : [none]));
}

function card(title, value, below = "", share = null) {
  const made = node("div", "", "card");
  made.append(node("span", title, "soft"), node("b", value), node("span", below, "soft"));
  if (share !== null) {
    const track = node("i");
    const bar = node("u");
    bar.style.width = `${Math.min(100, 100 * share)}%`;
    track.append(bar);
    made.append(track);
  }
  return made;
}

// --- what has been seen --------------------------------------------------------------------------

function remember(view, at) {
  const answered = view.latency_s.response;
  const now = {
    at,
    calls: view.active_calls,
    answers: answered?.count ?? 0,
    answer_s: answered ? answered.mean * answered.count : 0,
    refused: sum(view.calls.refused),
    failed: view.turns.by_outcome.failed ?? 0,
    turns: sum(view.turns.by_outcome),
    lost: view.calls.lost,
    started: view.calls.answered,
    dropped: view.records.dropped,
  };
  const last = seen.at(-1);
  if (last && now.started < last.started) seen.length = 0; // another cluster, or measured anew
  seen.push(now);
  while (seen[0].at < at - KEPT_S) seen.shift();
  return now;
}

function since(now, window_s) {
  return seen.find((one) => one.at >= now.at - window_s) ?? now;
}

function mean_answer_s(now, window_s) {
  const then = since(now, window_s);
  const answers = now.answers - then.answers;
  return answers ? (now.answer_s - then.answer_s) / answers : null;
}

function line(id, points, most, unit) {
  const svg = get(id);
  const span_s = Math.max(60, seen.at(-1).at - seen[0].at);
  const top = Math.max(most, ...points.map(([, y]) => y), 1e-9) * 1.1;
  const place = ([at, y]) =>
    `${(600 * (1 - (seen.at(-1).at - at) / span_s)).toFixed(1)},${(118 - (112 * y) / top).toFixed(1)}`;
  const drawn = document.createElementNS(svg.namespaceURI, "polyline");
  drawn.setAttribute("points", points.map(place).join(" "));
  const ground = document.createElementNS(svg.namespaceURI, "line");
  for (const [key, value] of [["x1", 0], ["x2", 600], ["y1", 118], ["y2", 118]]) ground.setAttribute(key, value);
  svg.replaceChildren(ground, drawn);
  const highest = points.length ? Math.max(...points.map(([, y]) => y)) : 0;
  return `at most ${unit(highest)} in ${number(span_s / 60)} min`;
}

// --- the parts of the page -----------------------------------------------------------------------

function show_attention(view, now) {
  const then = since(now, WINDOW_S);
  const found = [];
  const say = (when, text, kind = "") => when && found.push(node("li", text, kind));
  const lag = view.latency_s.event_loop_lag;
  say(view.age_s > 30, `These figures are ${number(view.age_s)} s old: the metrics actor is away.`);
  say(!view.max_concurrent_calls, "No call can be taken: no CallActor or no replica has room.", "bad");
  say(view.utilization_percent > 80, `${number(view.utilization_percent)} % of all lines are in use: add a node or raise CALLCLUSTER_CALL_ACTORS.`);
  say(now.refused > then.refused, `${now.refused - then.refused} calls were refused within 5 min: ${reasons(view.calls.refused)} since the start.`, "bad");
  say(now.lost > then.lost, `${now.lost - then.lost} calls were lost within 5 min.`, "bad");
  say(now.failed > then.failed, `${now.failed - then.failed} turns failed within 5 min.`, "bad");
  for (const name of view.providers.left) say(true, `${name} is left alone because it fails; others stand in.`);
  say(view.records.pending > 1000, `${number(view.records.pending)} rows wait for the database.`);
  say(now.dropped > then.dropped, `${now.dropped - then.dropped} rows never reached the database.`, "bad");
  for (const [kind, spread] of Object.entries(lag ?? {}))
    say(spread?.p95 > 0.05, `The event loop of ${kind} processes is ${ms(spread.p95)} late at P95: too many calls, or too little of a core.`);
  if (!found.length) say(true, "Nothing needs attention.", "good");
  get("attention").replaceChildren(...found);
}

const percent = (of) => (of == null ? "–" : `${number(of, 3)} %`);

const reasons = (counts) =>
  Object.entries(counts).sort((a, b) => b[1] - a[1]).map(([name, many]) => `${name} ${number(many)}`).join(", ");

function show_cards(view, now) {
  const answer = view.latency_s.response;
  const hits = view.cache.turns ?? {};
  const asked = sum(hits);
  const turns = now.turns;
  const recent = mean_answer_s(now, WINDOW_S);
  get("cards").replaceChildren(
    card("Calls in progress", number(view.active_calls),
      `of ${number(view.max_concurrent_calls)}; at most ${number(view.peak_concurrent_calls)} so far`,
      view.utilization_percent / 100),
    card("Answer, P50", ms(answer?.p50), `P95 ${ms(answer?.p95)}; 5 min: mean ${ms(recent)}`),
    card("Taken to first frame, P50", ms(view.latency_s.commit_to_first_frame?.p50),
      `P95 ${ms(view.latency_s.commit_to_first_frame?.p95)}: the part that is ours`),
    card("Calls answered", number(view.calls.answered),
      `${number(sum(view.calls.refused))} refused, ${number(now.lost)} lost, ${number(sum(view.calls.resumed))} resumed`),
    card("Ended as planned", percent(view.calls.availability.ended_as_planned_percent),
      `of those who called, ${percent(view.calls.availability.answered_percent)} were answered`),
    card("Turns", number(turns),
      `${turns ? number((100 * now.failed) / turns, 2) : 0} % failed; ${number(view.turns.barge_ins)} barge-ins`),
    card("Answers from memory", asked ? `${number((100 * (hits.hit ?? 0)) / asked)} %` : "–",
      asked ? `of ${number(asked)} turns asked` : "the response cache was not asked"),
    card("Cost", dollars(view.cost_usd.total),
      `of it ${dollars(view.turns.wasted_cost_usd)} for replies never spoken`),
  );
}

function show_lines(now) {
  get("calls-span").textContent =
    line("calls-line", seen.map((one) => [one.at, one.calls]), 1, (calls) => number(calls));
  const means = seen.map((one) => [one.at, mean_answer_s(one, 60)]).filter(([, mean]) => mean !== null);
  get("answers-span").textContent = line("answers-line", means, 0.1, ms);
}

function show_stages(stages) {
  const rows = STAGES.filter(([name]) => stages[name]).map(([name, title]) => [title, stages[name]]);
  const low = Math.min(0, ...rows.map(([, spread]) => spread.p50));
  const high = Math.max(0.001, ...rows.map(([, spread]) => spread.p95));
  const at = (seconds) => (100 * (seconds - low)) / (high - low);
  get("stages").replaceChildren(...rows.map(([title, spread]) => {
    const row = node("div", "", "stage");
    const track = node("span", "", "bar");
    const [bar, tick, zero] = [node("i"), node("b"), node("u")];
    bar.style.left = `${at(Math.min(0, spread.p50))}%`;
    bar.style.width = `${Math.abs(at(spread.p50) - at(0))}%`;
    tick.style.left = `${at(spread.p95)}%`;
    zero.style.left = `${at(0)}%`;
    track.append(bar, tick, zero);
    row.append(node("span", title), track, node("span", `${ms(spread.p50)} · ${ms(spread.p95)}`));
    return row;
  }));
  if (!rows.length) get("stages").replaceChildren(node("p", "no turn has been measured yet", "soft"));
}

function show_tables(view) {
  const failures = (name) =>
    Object.entries(view.providers.errors).filter(([key]) => key.split("/")[0] === name)
      .reduce((all, [, many]) => all + many, 0);
  table("providers", ["", "results", "P50", "P95", "errors"],
    Object.entries(view.providers.latency_s).filter(([, spread]) => spread).map(([key, spread]) => {
      const [name, work] = key.split("/");
      const errors = failures(name);
      return [`${name}, ${work.replaceAll("_", " ")}`, number(spread.count), ms(spread.p50), ms(spread.p95),
        node("td", number(errors), errors ? "bad" : "")];
    }), "nothing was asked yet");
  table("languages", ["", "calls", "turns", "answer P50", "P95"],
    Object.entries(view.languages).map(([name, one]) => [name, number(one.calls), number(one.turns),
      ms(one.response_latency_s?.p50), ms(one.response_latency_s?.p95)]), "no call yet");
  table("agents", ["", "now", "calls", "answer P50", "failed", "cost"],
    view.agents.map((one) => [one.tenant_id === "default" ? one.agent_id : `${one.tenant_id} / ${one.agent_id}`,
      number(one.active_calls), number(one.calls), ms(one.response_latency_s?.p50),
      node("td", number(one.turns_failed), one.turns_failed ? "bad" : ""), dollars(one.cost_usd)]), "no call yet");
  table("processes", ["", "number", "lines", "largest", "loop late, P99"],
    Object.entries(view.processes.count).map(([kind, many]) => [kind.replaceAll("_", " "), number(many),
      number(view.processes.capacity_calls[kind]), megabytes(view.processes.largest_resident_bytes[kind] ?? 0),
      ms(view.latency_s.event_loop_lag?.[kind]?.p99)]), "none has reported");
  table("ended", ["", "calls"],
    Object.entries(view.calls.ended).sort((a, b) => b[1] - a[1])
      .map(([reason, many]) => [reason.replaceAll("_", " "), number(many)]), "no call has ended yet");
  table("cost", ["", ""],
    Object.entries(view.cost_usd).filter(([name]) => name !== "unpriced_units")
      .map(([name, usd]) => [name.replaceAll("_", " "), dollars(usd, 4)]), "nothing yet");
}

function show(view) {
  const now = remember(view, performance.now() / 1000 - view.age_s);
  get("main").hidden = false;
  get("ask").hidden = true;
  get("age").textContent = `${number(view.age_s)} s old`;
  show_attention(view, now);
  show_cards(view, now);
  show_lines(now);
  show_stages(view.latency_s.stages);
  show_tables(view);
}

// --- asking --------------------------------------------------------------------------------------

async function ask() {
  const token = sessionStorage.getItem("metrics-token");
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch("metrics?format=json", { headers, cache: "no-store" });
  if (answer.status === 401) {
    get("ask").hidden = false;
    sessionStorage.removeItem("metrics-token");
    throw new Error(token ? "that is not the token" : "a token is needed");
  }
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  return body;
}

async function again() {
  let wait_ms = EVERY_MS;
  try {
    if (get("ask").hidden || sessionStorage.getItem("metrics-token")) show(await ask());
  } catch (error) {
    get("age").textContent = error instanceof TypeError ? "the cluster does not answer" : error.message;
    wait_ms = 2 * EVERY_MS;
  }
  setTimeout(again, document.hidden ? 5 * EVERY_MS : wait_ms);
}

get("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("metrics-token", get("token").value);
  get("token").value = "";
});
again();

// The page of a run: shows what the server says, and asks it for what a person decides. Texts from the server only ever
// become text, never HTML.

const token = location.hash.slice(1) || sessionStorage.getItem("token") || "";
sessionStorage.setItem("token", token);
history.replaceState(null, "", location.pathname); // so that nobody reads it over a shoulder, or in the history

const $ = (id) => document.getElementById(id);
let state = null; // what the server shows
let entries = []; // of the log, so far
let chosen = 0; // run whose measurement is shown
let drawn = ""; // what was shown of it
let edited = ""; // the proposal whose fields stand there
let suggestion = null; // values that a model suggested, and that stand in the fields

function make(tag, attributes = {}, ...children) {
  const space = ["svg", "g", "line", "path", "circle", "text", "rect", "image"].includes(tag);
  const node = space ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return put(node, ...children);
}

// What stands in a node from now on; null is nothing.
function put(node, ...children) {
  node.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

async function ask(path, body) {
  const answer = await fetch(`/api/${path}`, {
    method: body ? "POST" : "GET",
    headers: { Authorization: `Bearer ${token}`, ...(body ? { "Content-Type": "application/json" } : {}) },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text);
  let problem = text;
  try {
    problem = JSON.parse(text).problem ?? text;
  } catch {
    // not JSON: it is the problem itself
  }
  throw new Error(problem);
}

function told(problem) {
  $("problem").textContent = problem;
  $("problem").hidden = !problem;
}

// A click: what it asks for, or why that cannot be.
async function decide(path, body) {
  try {
    told("");
    await ask(path, body);
  } catch (error) {
    told(error.message);
  }
}

function seconds(value) {
  return value < 100
    ? `${value.toFixed(1)} s`
    : value < 6000
      ? `${(value / 60).toFixed(1)} min`
      : `${(value / 3600).toFixed(1)} h`;
}

function showState() {
  $("title").textContent = `${state.workflow} on ${state.laboratory}`;
  document.title = $("title").textContent;
  $("about").textContent = state.about;
  const { spent, budget } = state;
  $("spent").textContent =
    `${spent.runs} of ${budget.runs} runs, ${seconds(spent.seconds)} of ${seconds(budget.seconds)} in the laboratory` +
    (state.approval === "person" ? "; each run wants an approval" : "");
  if (state.problem) told(state.problem);
  const proposal = state.proposal;
  $("approve").disabled = $("stop").disabled = !proposal || state.busy !== "";
  $("go").hidden = state.approval === "person";
  $("go").disabled = !proposal || (state.busy !== "" && !state.on);
  $("go").textContent = state.on ? "Pause after this run" : "Run on";
  $("busy").textContent = state.busy && `${state.busy} …`;
  $("explain").hidden = !state.model || !chosen;
  $("explain").disabled = state.busy !== "";
  $("explain").textContent = `Ask ${state.model}`;
  showProposal(proposal);
  put(
    $("queue"),
    ...state.queue.map((one) => make("li", {}, `${one.target}: ${one.step}`, one.about ? ` (${one.about})` : "")),
  );
  put($("targets"), ...state.targets.map(showTarget));
}

function showProposal(proposal) {
  const key = proposal ? JSON.stringify(proposal) : "";
  if (key === edited && key) return; // fields that somebody edits stay
  edited = key;
  suggestion = null;
  if (!proposal) {
    put($("proposal"), make("p", {}, "The run has ended."));
    return;
  }
  put(
    $("proposal"),
    make(
      "p",
      {},
      make("strong", {}, `${proposal.step} of ${proposal.target}`),
      ` · run ${proposal.run}, about ${seconds(proposal.seconds)}`,
    ),
    make("p", { class: "quiet" }, `${proposal.about}. Why: ${proposal.why}`),
    make("p", { class: "quiet" }, `Until: ${proposal.criteria.join("; ") || "the status is good"}`),
    ...proposal.parameters.map((one) => {
      const input = make("input", {
        id: `p-${one.name}`,
        value: one.value,
        "data-given": one.value,
        autocomplete: "off",
        spellcheck: "false",
      });
      input.addEventListener("input", () => input.classList.toggle("changed", input.value !== one.value));
      return make(
        "div",
        { class: "field" },
        make("label", { for: `p-${one.name}` }, one.name),
        input,
        make("small", {}, `${one.about}; ${one.span}`),
      );
    }),
  );
}

function changes() {
  const fields = [...$("proposal").querySelectorAll("input")];
  return Object.fromEntries(
    fields.filter((one) => one.value !== one.dataset.given).map((one) => [one.id.slice(2), one.value]),
  );
}

function showTarget(one) {
  const rows = Object.entries(one.results).map(([name, value]) =>
    make("tr", {}, make("th", {}, name), make("td", {}, value)),
  );
  const how = one.reason ? make("span", { class: one.reason === "done" ? "status good" : "status" }, one.reason) : null;
  return make(
    "div",
    {},
    make("h3", {}, `${one.name} `, how),
    one.reason && one.reason !== "done" ? make("p", { class: "quiet" }, one.text) : null,
    rows.length ? make("table", {}, make("tbody", {}, ...rows)) : make("p", { class: "quiet" }, "nothing yet"),
  );
}

function showLog() {
  const decisions = entries.filter((one) => one.kind === "decide" && one.body.run);
  put(
    $("history"),
    ...decisions.toReversed().map(({ body, learnt }) => {
      const found = Object.entries(learnt).map(([name, text]) => `${name} ${text}`);
      const row = make(
        "tr",
        { tabindex: 0, class: body.run === chosen ? "chosen" : "" },
        make("td", {}, String(body.run)),
        make("td", {}, body.target),
        make("td", {}, body.step),
        make("td", {}, body.verdict ? `${body.verdict.status}${found.length ? `: ${found.join(", ")}` : ""}` : ""),
        make("td", {}, `${body.action}: ${body.text}`),
      );
      const choose = () => show(body.run);
      row.addEventListener("click", choose);
      row.addEventListener("keydown", (event) => event.key === "Enter" && choose());
      return row;
    }),
  );
  put(
    $("log"),
    ...entries.map((one) =>
      make(
        "li",
        { value: one.number },
        `${one.time.slice(0, 19)} ${one.kind} ${JSON.stringify(one.body)} ${one.digest.slice(0, 12)}`,
      ),
    ),
  );
  showExplanation();
}

function showExplanation() {
  const note = entries.findLast((one) => one.kind === "note" && one.body.run === chosen)?.body;
  if (!note) {
    put($("explanation"));
    return;
  }
  const step = note.step;
  const fits =
    step && state.proposal && step.experiment === state.proposal.experiment && step.target === state.proposal.target;
  const use = make("button", {}, "Put these values in the fields");
  use.addEventListener("click", () => {
    for (const one of $("proposal").querySelectorAll("input")) {
      one.value = step.parameters[one.id.slice(2)];
      one.classList.toggle("changed", one.value !== one.dataset.given);
    }
    suggestion = JSON.stringify(changes());
  });
  const values = step && Object.entries(step.parameters).map(([name, value]) => `${name} ${value}`);
  put(
    $("explanation"),
    make("h3", {}, note.model, note.agrees ? " agrees" : " does not agree"),
    make("blockquote", {}, note.explanation),
    ...note.doubts.map((one) => make("blockquote", { class: "quiet" }, one)),
    step ? make("p", {}, `Suggests ${step.experiment} of ${step.target}: ${values.join(", ")}. ${step.reason}`) : null,
    fits ? use : null,
    note.refused ? make("p", { class: "quiet" }, `Its suggestion is refused: ${note.refused}`) : null,
  );
}

async function show(run) {
  chosen = run;
  try {
    const found = await ask(`runs/${run}`);
    const key = JSON.stringify(found);
    if (key !== drawn) {
      drawn = key;
      const measured = entries.find((one) => one.kind === "propose" && one.body.run === run)?.body;
      put(
        $("measurement"),
        make(
          "p",
          {},
          make("strong", {}, `Run ${run}: ${measured?.step ?? ""} of ${measured?.target ?? ""} `),
          make("span", { class: found.good ? "status good" : "status" }, found.status),
          ` ${Math.round(100 * found.probability)} %`,
        ),
        found.picture ? draw(found.picture) : null,
        make(
          "table",
          {},
          make(
            "tbody",
            {},
            ...found.facts.map(([title, text]) => make("tr", {}, make("th", {}, title), make("td", {}, text))),
          ),
        ),
      );
    }
  } catch (error) {
    drawn = "";
    put($("measurement"), make("p", { class: "quiet" }, error.message));
  }
  showState();
  showLog();
}

const [WIDE, HIGH, LEFT, BELOW, ABOVE] = [640, 360, 64, 44, 12];

function scale(values, from, to) {
  const finite = values.filter((one) => one !== null);
  let [low, high] = [Math.min(...finite), Math.max(...finite)];
  if (!(high > low)) [low, high] = [low - 1, high + 1];
  const at = (value) => from + ((value - low) / (high - low)) * (to - from);
  const power = 10 ** Math.floor(Math.log10((high - low) / 5));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => (high - low) / one <= 6);
  const ticks = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) ticks.push(Number((i * step).toPrecision(12)));
  return { at, ticks, low, high };
}

function draw(picture) {
  const svg = make("svg", {
    viewBox: `0 0 ${WIDE} ${HIGH}`,
    role: "img",
    "aria-label": `${picture.y.label} against ${picture.x.label}`,
  });
  const curve = picture.kind === "curve";
  const x = scale(picture.x.values, LEFT + 8, WIDE - 12);
  const y = scale([...picture.y.values, ...(curve && picture.fit ? picture.fit[1] : [])], HIGH - BELOW - 8, ABOVE + 4);
  const line = (xs, ys) =>
    xs
      .map((one, i) =>
        ys[i] === null ? "" : `${i && ys[i - 1] !== null ? "L" : "M"}${x.at(one).toFixed(1)} ${y.at(ys[i]).toFixed(1)}`,
      )
      .join("");
  if (!curve) svg.append(heat(picture, x, y));
  svg.append(make("path", { class: "axis", d: `M${LEFT} ${ABOVE}V${HIGH - BELOW}H${WIDE - 8}` }));
  for (const tick of x.ticks)
    svg.append(make("text", { x: x.at(tick), y: HIGH - BELOW + 16, "text-anchor": "middle" }, String(tick)));
  for (const tick of y.ticks)
    svg.append(make("text", { x: LEFT - 6, y: y.at(tick) + 4, "text-anchor": "end" }, String(tick)));
  svg.append(make("text", { x: (LEFT + WIDE) / 2, y: HIGH - 8, "text-anchor": "middle" }, picture.x.label));
  svg.append(
    make(
      "text",
      { transform: `translate(14 ${(HIGH - BELOW) / 2}) rotate(-90)`, "text-anchor": "middle" },
      picture.y.label,
    ),
  );
  if (curve) {
    picture.x.values.forEach((one, i) => {
      if (picture.y.values[i] !== null)
        svg.append(
          make("circle", {
            class: picture.used[i] ? "data" : "left-out",
            cx: x.at(one),
            cy: y.at(picture.y.values[i]),
            r: 2.6,
          }),
        );
    });
    if (picture.fit) svg.append(make("path", { class: "fit", d: line(...picture.fit) }));
    for (const [name, place] of Object.entries(picture.marks)) {
      if (place === null || place < x.low || place > x.high) continue;
      svg.append(make("line", { class: "mark", x1: x.at(place), x2: x.at(place), y1: ABOVE, y2: HIGH - BELOW }));
      svg.append(make("text", { x: x.at(place) + 4, y: ABOVE + 10 }, name));
    }
  } else {
    for (const [xs, ys] of Object.values(picture.lines)) svg.append(make("path", { class: "fit", d: line(xs, ys) }));
  }
  return svg;
}

// A map: one path for each of sixteen shades, since a node for each point would be thousands. Points overlap by a bit, so
// that no background shows between them.
function heat(picture, x, y) {
  const [columns, rows] = [picture.x.values.length, picture.y.values.length];
  const [w, h] = [
    Math.abs(x.at(x.high) - x.at(x.low)) / Math.max(1, columns - 1) + 0.6,
    Math.abs(y.at(y.high) - y.at(y.low)) / Math.max(1, rows - 1) + 0.6,
  ];
  const paths = Array.from({ length: 16 }, () => []);
  picture.levels.forEach((row, j) =>
    row.forEach((level, i) =>
      paths[level >> 4].push(
        `M${(x.at(picture.x.values[i]) - w / 2).toFixed(1)} ${(y.at(picture.y.values[j]) - h / 2).toFixed(1)}h${w.toFixed(2)}v${h.toFixed(2)}h${(-w).toFixed(2)}z`,
      ),
    ),
  );
  return make(
    "g",
    {},
    ...paths.map((one, shade) =>
      make("path", { d: one.join(""), fill: `hsl(${260 - 12 * shade} 60% ${18 + 4.4 * shade}%)` }),
    ),
  );
}

async function refresh() {
  const before = entries.at(-1)?.number ?? 0;
  [state, entries] = [await ask("state"), [...entries, ...(await ask(`log?after=${before}`))]];
  const newest = entries.findLast((one) => one.kind === "measure" && one.number > before);
  if (newest) await show(newest.body.run);
  else {
    showState();
    showLog();
  }
}

// Server-sent events by hand: the browser's own reader cannot show a token.
async function listen() {
  const answer = await fetch("/api/events", { headers: { Authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(await answer.text());
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error("The server has gone.");
    if (value.includes("data:")) await refresh();
  }
}

$("approve").addEventListener("click", () => {
  const parameters = changes();
  decide("approve", {
    run: state.proposal.run,
    parameters,
    suggested: suggestion !== null && suggestion === JSON.stringify(parameters),
  });
});
$("go").addEventListener("click", () => decide("go", { on: !state.on }));
$("stop").addEventListener("click", () => confirm("End this run for good?") && decide("stop", {}));
$("explain").addEventListener("click", () => decide("explain", { run: chosen }));

for (;;) {
  try {
    await listen();
  } catch (error) {
    told(error.message);
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

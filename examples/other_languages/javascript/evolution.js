// A strategy for hpo-core in JavaScript: a simple evolution strategy, over docs/protocol.md.
//
//     hpo run study.toml --strategy process -o 'command=["node", "evolution.js"]'
//
// Each trial has its own random stream, made from the study's seed and the trial's number, so
// that there is no state to save: what was asked and told is all that it needs to go on.

"use strict";

const CAPABILITIES = ["conditional", "forbidden", "integers", "categoricals", "multi_objective"];
let problem, population, tried, best; // of the one study that a process serves

// -- randomness ------------------------------------------------------------------------------

function stream(address) {
  let state = 2166136261; // FNV-1a of the address, then mulberry32 from there
  for (const character of address) state = Math.imul(state ^ character.codePointAt(0), 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// -- the search space ------------------------------------------------------------------------

function draw(parameter, random) {
  const { type, low, high, step, size, log } = parameter;
  if (size !== undefined) return Math.floor(random() * size); // a choice or a grid: an index
  const [from, to] = type === "int" ? [low - (log ? 0.5 : 0), high + (log ? 0.5 : 1)] : [low, high];
  const u = random();
  const value = log
    ? Math.exp(Math.log(from) + u * (Math.log(to) - Math.log(from)))
    : from + u * (to - from);
  if (type === "float") return Math.min(Math.max(value, low), high);
  const last = Math.floor((high - low) / step);
  const index = (log ? Math.round(value) : Math.floor(value)) - low;
  return low + Math.min(Math.max(Math.floor(index / step), 0), last) * step;
}

const matches = (configuration, clause) =>
  Object.entries(clause).every(([name, values]) => values.includes(configuration[name]));

function propose(random, parent) {
  const configuration = {};
  const changed = Math.floor(random() * problem.parameters.length);
  problem.parameters.forEach((parameter, index) => { // parents come before children
    if (!matches(configuration, parameter.when)) return;
    const inherited = parent && index !== changed && random() < 0.9 ? parent[parameter.name] : undefined;
    configuration[parameter.name] = inherited === undefined ? draw(parameter, random) : inherited;
  });
  return configuration;
}

// -- the contract ----------------------------------------------------------------------------

function learn({ trial_id, status, losses }) {
  if (status !== "completed" || losses === null || !tried.has(trial_id)) return;
  const loss = losses.reduce((sum, one) => sum + one, 0);
  if (best === null || loss < best.loss) best = { loss, configuration: tried.get(trial_id) };
}

function remember(trial_id, suggestion) {
  if (suggestion.type === "start") tried.set(trial_id, suggestion.configuration);
}

const answers = {
  hello: () => ({ type: "hello", protocol: 1, capabilities: CAPABILITIES }),
  problem(message) {
    [problem, tried, best] = [message, new Map(), null];
    population = message.options.population ?? 8;
    const unknown = Object.keys(message.options).filter((name) => name !== "population");
    const faults = unknown.map((name) => ({ path: `options.${name}`, message: "unknown; known: population" }));
    if (!(Number.isInteger(population) && population > 0))
      faults.push({ path: "options.population", message: "expected a whole number above 0" });
    for (const { name, type, low, high } of message.parameters)
      if (type === "int" && !(Number.isSafeInteger(low) && Number.isSafeInteger(high)))
        faults.push({ path: `parameters.${name}`, message: "JavaScript's numbers are exact up to 2^53; narrow the range" });
    return faults.length ? { type: "refuse", faults } : { type: "ready" };
  },
  ask({ trial_id }) {
    const random = stream(`${problem.seed} ${trial_id}`);
    for (let attempt = 0; attempt < 100000; attempt++) {
      const parent = best !== null && trial_id > population && attempt < 50 ? best.configuration : null;
      const configuration = propose(random, parent);
      if (problem.forbidden.some((clause) => matches(configuration, clause))) continue;
      tried.set(trial_id, configuration);
      return { type: "start", configuration };
    }
    return { type: "error", message: "nearly everything is forbidden: no allowed configuration found" };
  },
  adopt({ trial_id, suggestion }) { remember(trial_id, suggestion); return { type: "done" }; },
  tell({ report }) { learn(report); return { type: "decision", decision: "continue" }; },
  save: () => ({ type: "state", state: null }),
  restore({ history }) {
    for (const event of history)
      event.type === "asked" ? remember(event.trial_id, event.suggestion) : learn(event.report);
    return { type: "done" };
  },
};

const lines = require("node:readline").createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const message = JSON.parse(line);
  if (message.type === "bye") return lines.close();
  const answer = answers[message.type];
  const unknown = { type: "error", message: `unknown message: ${message.type}` };
  process.stdout.write(JSON.stringify(answer ? answer(message) : unknown) + "\n");
});

// `npm test`: installs what is missing, then runs everything. The last line is `N passed, N failed`.
// `npm test -- checks unit integration engine python browser` runs only the named parts.
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureBrowser, ensureModels, ensureNode, ensurePython, repoDir, runScript } from "./bootstrap.mjs";
import { listChecks, runCheck } from "./check.mjs";
import { endLeftovers, findLeftovers, runCommand } from "./run-command.mjs";

const total = { passed: 0, failed: 0, skipped: 0 };
/** What failed, by name: said once more at the end, where whoever reads only the end finds it. */
const failures = [];

/**
 * The quick ones first. Lanes of one row run side by side: servers and remote sources are mostly waited for, while
 * engines and trainers are not. Whichever lane is through first does what is left of its row: which one that is, differs
 * from machine to machine. The output of all but the first lane is shown once they have ended.
 */
const order = [
  { lanes: [["checks"], ["unit"]], left: [] },
  { lanes: [["engine", "browser"], ["integration"]], left: ["python"] },
];

const parts = {
  async checks({ python }) {
    for (const check of listChecks()) {
      if (await runCheck(check, check.command[0] === "python" ? await python : null)) count({ passed: 1 });
      else count({ failed: 1, names: [`check: ${check.name}`] });
    }
  },
  unit: (context) => runVitest("unit", context),
  engine: (context) => runVitest("engine", context),
  integration: (context) => runVitest("integration", context),
  async python({ python, reports, run }) {
    for (const app of ["trainer", "sidecars"]) {
      const report = join(reports, `${app}.xml`);
      const args = ["-m", "pytest", "--quiet", "--junit-xml", report, "-p", "no:cacheprovider"];
      const { code } = await run(await python, args, { cwd: join(repoDir, "apps", app) });
      countReport(`pytest ${app}`, code, await readReport(report, parseJunit));
    }
  },
  async browser({ reports, run }) {
    if (!existsSync(join(repoDir, "apps/web/playwright.config.ts"))) return;
    const report = join(reports, "browser.json");
    const env = { ...process.env, PLAYWRIGHT_JSON_OUTPUT_NAME: report };
    const { code } = await run("playwright", ["test", "--reporter=list,json"], {
      cwd: join(repoDir, "apps/web"),
      env,
    });
    countReport("playwright", code, await readReport(report, parsePlaywright));
  },
};

/**
 * @param left what other lanes take from as well
 * @param quiet show what its parts said once each has ended, so that two lanes do not talk at once
 */
async function runLane(names, left, { quiet, ...context }) {
  const own = [...names];
  for (let name = own.shift() ?? left.shift(); name !== undefined; name = own.shift() ?? left.shift()) {
    let said = `\n── ${name} ──`;
    if (!quiet) console.log(said);
    const run = async (command, args, options = {}) => {
      const result = await runCommand(command, args, { ...options, quiet });
      said += `\n${result.output}`;
      return result;
    };
    await parts[name]({ ...context, run });
    if (quiet) console.log(said);
  }
}

async function runVitest(project, { reports, run }) {
  const report = join(reports, `${project}.json`);
  // A project may be in parts: "unit-web".
  const args = [
    "run",
    "--project",
    `${project}*`,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
  ];
  const { code } = await run("vitest", args);
  countReport(`vitest ${project}`, code, await readReport(report, parseVitest));
}

/** @returns the path of Python; also in the environment of whatever is started from then on */
async function ensureOthers() {
  const { python } = await ensurePython();
  process.env.ANNEAL_PYTHON = python;
  await ensureModels();
  await ensureBrowser();
  return python;
}

/** No process that a test started may outlive the tests; one that is just ending gets a moment. */
async function checkLeftovers() {
  for (let attempt = 0; attempt < 50 && findLeftovers().length > 0; attempt += 1) await sleep(200);
  const left = findLeftovers();
  count(left.length === 0 ? { passed: 1 } : { failed: 1, names: ["no process is left behind"] });
  console.log(`${left.length === 0 ? "✓" : "✗"} no process is left behind`);
  for (const { pid, command } of left) console.log(`  ${pid} ${command}`);
  endLeftovers();
}

function count({ passed = 0, failed = 0, skipped = 0, names = [] }) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  failures.push(...names);
}

/** A runner that fails without a failed test (it crashed, or a file could not be loaded) is a failure of its own. */
function countReport(name, code, counts) {
  count(counts ?? {});
  if (!counts) console.log(`✗ ${name} wrote no report`);
  if (!counts || (code !== 0 && counts.failed === 0)) count({ failed: 1, names: [`${name} ended with code ${code}`] });
}

async function readReport(file, parse) {
  try {
    return parse(await readFile(file, "utf8"));
  } catch {
    return undefined;
  }
}

function parseVitest(text) {
  const report = JSON.parse(text);
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
    names: report.testResults.flatMap(({ assertionResults }) =>
      assertionResults.filter(({ status }) => status === "failed").map(({ fullName }) => fullName),
    ),
  };
}

function parsePlaywright(text) {
  const { stats, suites } = JSON.parse(text);
  const listSpecs = (suite) => [...(suite.specs ?? []), ...(suite.suites ?? []).flatMap(listSpecs)];
  return {
    passed: stats.expected,
    // A test that passes only at the second try is not one that passes.
    failed: stats.unexpected + stats.flaky,
    skipped: stats.skipped,
    names: suites
      .flatMap(listSpecs)
      .filter(({ tests }) => tests.some(({ status }) => status === "unexpected" || status === "flaky"))
      .map(({ file, title }) => `${file} › ${title}`),
  };
}

function parseJunit(text) {
  const read = (name) => Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(text)[1]);
  const failed = read("failures") + read("errors");
  const names = [...text.matchAll(/<testcase [^>]*\bname="([^"]*)"[^>]*><(?:failure|error)/g)].map(([, name]) => name);
  return { passed: read("tests") - failed - read("skipped"), failed, skipped: read("skipped"), names };
}

await runScript(async () => {
  await ensureNode({ isPythonAwaited: false });
  const wanted = process.argv.slice(2);
  const reports = await mkdtemp(join(tmpdir(), "anneal-test-"));
  // Hundreds of programs are started, most of them of the same modules, which are compiled for the first one alone.
  process.env.NODE_COMPILE_CACHE = join(reports, "compiled");
  try {
    const isWanted = (name) => wanted.length === 0 || wanted.includes(name);
    // The first row needs next to none of it.
    const python = ensureOthers();
    python.catch(() => {});
    for (const [index, row] of order.entries()) {
      if (index > 0) await python;
      const left = row.left.filter(isWanted);
      const lanes = row.lanes.map((names) => names.filter(isWanted));
      await Promise.all(lanes.map((names, index) => runLane(names, left, { python, reports, quiet: index > 0 })));
    }
    await checkLeftovers();
  } finally {
    await rm(reports, { recursive: true, force: true });
  }
  for (const name of failures) console.log(`✗ ${name}`);
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
});

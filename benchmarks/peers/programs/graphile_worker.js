// The worker of graphile-worker: `migrate ADDRESS` makes its tables; `VERSION ADDRESS` works, and says the version first.
const { Logger, run, runMigrations } = require("graphile-worker");

const [version, connectionString] = process.argv.slice(2);
const options = {
  connectionString,
  logger: new Logger(() => () => {}),
  taskList: {
    noop: async () => {},
    clock: async () => say((performance.timeOrigin + performance.now()) / 1000),
  },
  preset: {
    worker: {
      concurrentJobs: 24,
      maxPoolSize: 25,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
};

function say(what) {
  process.stdout.write(`${what}\n`);
}

async function main() {
  if (version === "migrate") return runMigrations(options);
  const runner = await run(options);
  say(version);
  return runner.promise;
}

main();

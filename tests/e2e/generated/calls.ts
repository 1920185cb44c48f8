/** A program that makes a call of every shape with the generated types. It gets the address of the service. */

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };

type Task = components["schemas"]["Task"];
type Status = Task["status"];
type Answer<T> = { data?: T; error?: components["schemas"]["Error"]; response: Response };
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

const wait = 20;
const delay = 3600;
const client = createClient<paths>({
  baseUrl: process.argv[2]!,
  querySerializer: { object: { style: "form", explode: true } },
});

function equal(found: unknown, wanted: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`);
  }
}

function data<T>(answer: Answer<T>): T {
  if (answer.data === undefined) {
    throw new Error(`${answer.response.status}: ${JSON.stringify(answer.error)}`);
  }
  return answer.data;
}

/** The result of a task that is done, of the type that the client says. */
function result<R>(answer: Answer<{ status: Status; result: R }>): R {
  const task = data(answer);
  equal(task.status, "done");
  return task.result;
}

/** The compiler accepts a call of it where the result has exactly the type R. */
function typed<R>() {
  return <F>(found: F, _: Same<F, R>): F => found;
}

async function callWhatShips(): Promise<void> {
  const params = { query: { wait } };
  const said = result(await client.POST("/task/new", { params, body: { required_arg: "a" } }));
  equal(typed<{ [name: string]: string } | null>()(said, true)?.["message"]?.endsWith("a"), true);
  const total = result(await client.POST("/task/new/add", { params, body: { a: 1, b: 0.5 } }));
  equal(typed<number | null>()(total, true), 1.5);
  const fall = { dt: 10, r0: [0, 0, 1], v0: [0, 0, 0], mass: 1, radius: 0.1 };
  const trajectory = result(await client.POST("/task/new/mov3d", { params, body: fall }));
  equal(typed<(number | null)[] | undefined>()(trajectory?.times, true)?.length, 2);
  equal(typed<(number | null)[][] | undefined>()(trajectory?.positions, true)?.[1], [0, 0, 0]);
}

async function callFunctionsOfAwkwardNames(): Promise<void> {
  const params = { query: { wait } };
  const log = result(await client.POST("/task/new/log", { params, body: { n: 1 } }));
  const error = result(await client.POST("/task/new/error", { params, body: { n: 2 } }));
  const page = result(await client.POST("/task/new/page", { params, body: { n: 3 } }));
  const task = result(await client.POST("/task/new/task", { params, body: { n: 4 } }));
  equal(typed<(number | null)[]>()([log, error, page, task], true), [1, 2, 3, 4]);
}

async function submitEachKindOfArgument(): Promise<void> {
  const params = { query: { wait } };
  const measured = await client.POST("/task/new/measure", {
    params,
    body: { start: { x: 1 }, kind: { n: 3 }, Kind: "long", ends: [{ x: 2, unit: "M" }] },
  });
  const length = result(measured);
  equal(typed<"m" | "M" | undefined>()(length?.unit, true), "m");
  equal(length, { x: 3, unit: "m", n: 3, kind: "long" });
  equal(result(await client.POST("/task/new/paint", { params, body: { start: { red: 7 } } })), 7);
  const matrix = [[2, 0], [0, 4]];
  const inverse = result(await client.POST("/task/new/invert", { params, body: { matrix, mask: null } }));
  equal(typed<(number | unknown[] | null)[] | null>()(inverse, true), [[0.5, 0], [0, 0.25]]);
  const product = result(await client.POST("/task/new/multiply", { params, body: { a: [[2]], b: [[0.5]] } }));
  equal(typed<(number | null)[][] | null>()(product, true), [[1]]);
  const chosen = await client.POST("/task/new/choose", { params, body: { how: 0.5, sign: "-", case: "A" } });
  equal(typed<unknown>()(result(chosen), true), [0.5, "-", "A"]);
  equal(result(await client.POST("/task/new/default_values", { params, body: { const: 6, default: { x: 2 } } })), [
    { x: 2, y: 0, unit: "m" },
    { a: [1] },
    6,
    [1, "a"],
    {},
  ]);
  const key = "00000000-0000-0000-0000-000000000005";
  const read = await client.POST("/task/new/read", { params, body: { when: "2026-01-01", key, price: "1.10", data: "abc" } });
  equal(result(read), ["2026-01-01T00:00:00", key, "1.10", 3]);
  const times = result(await client.POST("/task/new/remember", { params, body: { when: "2026-01-01" } }));
  equal(typed<{ [name: string]: string | null } | null>()(times, true), { when: "2026-01-01T00:00:00", never: null });
  const tree = { name: "a", parts: [{ name: "b" }] };
  equal(typed<number | null>()(result(await client.POST("/task/new/count", { params, body: { tree } })), true), 2);
  const planted = result(await client.POST("/task/new/plant", { params, body: { name: "oak" } }));
  equal(typed<string | undefined>()(planted?.parts[0]?.parts[0]?.name, true), undefined);
  equal(planted?.parts[0]?.name, "oak branch");
  const fed = result(await client.POST("/task/new/feed", { params, body: { animal: { kind: "cat", class: 8 } } }));
  equal(typed<"cat" | "dog" | null>()(fed, true), "cat");
  const adopted = result(await client.POST("/task/new/adopt", { params, body: { kind: "cat" } }));
  equal(adopted?.kind === "cat" && typed<number>()(adopted.class, true), 9);
  const drawn = await client.POST("/task/new/draw", { params, body: { point: [1, 2], points: [[3, 4]] } });
  equal(typed<number[] | undefined>()(result(drawn)?.[1], true), [3, 4]);
  equal(result(await client.POST("/task/new/score", { params, body: { name: "a", first: 2 } }))?.["a"], 2);
  equal(result(await client.POST("/task/new/anything", { params, body: { any: [1, { b: null }] } })), { any: [1, { b: null }] });
  equal(data(await client.POST("/task/new/nothing", { params })).status, "done");
  equal(data(await client.POST("/task/new/nothing", { params, body: {} }))["result"], null);
  const named = { path: { type: "log" }, query: { wait } };
  equal(result(await client.POST("/task/new/{type}", { params: named, body: { n: 5 } })), 5);
}

async function submitWithOptions(): Promise<void> {
  const header = { "Idempotency-Key": "typescript-1" };
  const query = { delay, priority: 5, max_attempts: 4, ttl: 60 };
  const submitted = data(await client.POST("/task/new/nothing", { params: { query, header } }));
  equal([submitted.status, submitted.priority, submitted.max_attempts], ["waiting", 5, 4]);
  const repeated = await client.POST("/task/new/nothing", { params: { query: { delay }, header } });
  equal([repeated.response.status, data(repeated).id], [200, submitted.id]);
}

async function submitManyAndListThem(): Promise<void> {
  const submitted = await client.POST("/tasks", {
    params: { header: { "Idempotency-Key": "typescript-2" } },
    body: [{ args: { required_arg: "typescript" }, delay }, { type: "nothing", priority: 2 }],
  });
  const args = { "args.required_arg": "typescript" };
  const query = { status: "waiting", type: "default", created_after: 1, limit: 10, "args.*": args } as const;
  const page = data(await client.GET("/tasks", { params: { query } }));
  equal([page.tasks.map((task) => task.id), page.next], [data(submitted).ids.slice(0, 1), null]);
  equal(data(await client.POST("/tasks/cancel", { params: { query: { "args.*": args } } })).count, 1);
  equal(data(await client.POST("/tasks/retry", { params: { query: { type: "nobody", limit: 5 } } })).count, 0);
}

async function submitABatchAndWaitForIt(): Promise<void> {
  const header = { "Idempotency-Key": "typescript-3" };
  const tasks = [{ type: "nothing", ref: "first" }, { type: "nothing", after: ["first"] }];
  const body = { name: "typescript", tasks, then: { type: "nothing" }, open: true };
  const created = data(await client.POST("/batches", { params: { header }, body }));
  equal(data(await client.POST("/batches", { params: { header }, body })), created);
  const params = { path: { id: created.id } };
  equal(data(await client.POST("/batches/{id}/tasks", { params, body: [{ type: "nothing" }] })).ids.length, 1);
  equal(data(await client.POST("/batches/{id}/close", { params })).open, false);
  const finished = data(await client.GET("/batches/{id}", { params: { ...params, query: { wait } } }));
  equal([finished.counts.done, finished.progress.value, finished.failures], [3, 1, []]);
  equal(typed<number | null>()(finished.then, true), created.then);
  const page = data(await client.GET("/batches", { params: { query: { limit: 1 } } }));
  equal(page.batches.map((batch) => batch.name), ["typescript"]);
}

async function viewAndChange(): Promise<void> {
  const { id } = data(await client.POST("/task/new/nothing", { params: { query: { delay } } }));
  const params = { path: { id } };
  equal(data(await client.GET("/task/{id}/view", { params })).status, "waiting");
  equal(data(await client.POST("/task/{id}/cancel", { params })).status, "cancelled");
  equal(data(await client.POST("/task/{id}/retry", { params })).status, "waiting");
  const deleted = await client.DELETE("/task/{id}", { params });
  equal([204, 409].includes(deleted.response.status), true);
  const last = data(await client.POST("/task/new/nothing")).id;
  equal(result(await client.GET("/task/{id}", { params: { path: { id: last }, query: { wait } } })), null);
}

async function readAFailure(): Promise<void> {
  const failed = data(await client.POST("/task/new/fail", { params: { query: { max_attempts: 1, wait } } }));
  equal([failed.status, failed.error?.message], ["failed", "no"]);
  const log = data(await client.GET("/task/{id}/log", { params: { path: { id: failed.id } } }));
  equal(log.attempts.map((attempt) => [attempt.outcome, attempt.log]), [["failed", "trying\n"]]);
}

async function readTheService(): Promise<void> {
  const { counts } = data(await client.GET("/tasks/counts"));
  equal((counts["fail"]?.["failed"] ?? 0) > 0, true);
  const { types } = data(await client.GET("/types"));
  equal(types.some((type) => type.name === "measure" && "start" in (type.schema["properties"] as object)), true);
  equal(data(await client.GET("/ping")).status, "online");
}

async function readRefusals(): Promise<void> {
  const unknown = await client.GET("/task/{id}/view", { params: { path: { id: 10 ** 9 } } });
  equal([unknown.response.status, unknown.error?.message], [404, "task id 1000000000 is not registered"]);
  // @ts-expect-error The kind has no such value.
  const wrong = await client.POST("/task/new/log", { body: { n: 1, kind: "z" } });
  equal([wrong.response.status, wrong.error?.code], [422, 422]);
}

await callWhatShips();
await callFunctionsOfAwkwardNames();
await submitEachKindOfArgument();
await submitWithOptions();
await submitManyAndListThem();
await submitABatchAndWaitForIt();
await viewAndChange();
await readAFailure();
await readTheService();
await readRefusals();

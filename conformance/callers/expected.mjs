// What every caller calls, and what has to come back: the judge's plan, handed over as JSON.
export const plan = JSON.parse(process.argv[2] ?? 'null');
if (plan) {
  plan.echo = Buffer.from(plan.payload, 'base64');
}

export function same(what, got, expected) {
  const [left, right] = [got, expected].map((value) => JSON.stringify(value));
  if (left !== right) throw new Error(`${what}: expected ${right?.slice(0, 300)}, got ${left?.slice(0, 300)}`);
}

export const base64 = (bytes) => Buffer.from(bytes).toString('base64');

// Runs each check to its end and prints one line for it.
export async function judge(checks) {
  for (const [name, check] of checks) {
    try {
      await check();
      console.log(`ok      ${name}`);
    } catch (error) {
      console.log(`FAILED  ${name}: ${String(error.stack ?? error).slice(0, 800)}`);
      process.exitCode = 1;
    }
  }
}

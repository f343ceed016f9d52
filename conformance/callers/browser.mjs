// connect-web in Chromium, from a page of another origin than the server's.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';
import { judge, plan, same } from './expected.mjs';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

const script = readFileSync(new URL('./page.bundle.js', import.meta.url));
const origin = new URL(plan.origin);
const pages = createServer((request, response) => {
  const isScript = request.url === '/page.js';
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
  response.end(isScript ? script : '<!doctype html><title>judge</title><script src="/page.js"></script>');
}).listen(Number(origin.port), origin.hostname);

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
try {
  const page = await browser.newPage();
  await page.goto(plan.origin);
  const handed = {
    ...plan,
    echo: undefined,
    baseUrl: `http://127.0.0.1:${plan.port}`,
    descriptorBytes: readFileSync(plan.descriptors).toString('base64'),
  };
  const check = async (protocol, binary) => {
    const got = await page.evaluate(([first, second, third]) => globalThis.judge(first, second, third), [protocol, binary, handed]);
    const { payload, stream, fail } = plan;
    same('calls', got, { echo: payload, stream, code: fail.code, message: fail.message });
  };
  const checks = [];
  for (const protocol of ['connect', 'grpc-web']) {
    for (const binary of [true, false]) {
      checks.push([`connect-web in Chromium, ${protocol}, ${binary ? 'proto' : 'json'}`, () => check(protocol, binary)]);
    }
  }
  await judge(checks);
} finally {
  await browser.close();
  pages.close();
}

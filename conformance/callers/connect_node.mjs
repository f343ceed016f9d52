// @connectrpc/connect-node: three protocols, two codecs, HTTP/1.1 and 2, plaintext and TLS; unary calls by GET, too.
import { readFileSync } from 'node:fs';
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { calls, service } from './connect_calls.mjs';
import { base64, judge, plan, same } from './expected.mjs';

const Calls = service(readFileSync(plan.descriptors));
const ca = readFileSync(plan.certificate);

async function check(create, options) {
  const got = await calls(create(options), Calls, plan, plan.echo);
  same('Echo', base64(got.echo), plan.payload);
  same('Download', got.stream.map(base64), plan.stream);
  same('Fail', [got.code, got.message], [plan.fail.code, plan.fail.message]);
}

const transports = [
  ['connect', createConnectTransport, ['1.1', '2']],
  ['grpc', createGrpcTransport, ['2']],
  ['grpc-web', createGrpcWebTransport, ['1.1', '2']],
];
const checks = [];
for (const [protocol, create, versions] of transports) {
  for (const httpVersion of versions) {
    for (const useBinaryFormat of [true, false]) {
      const name = `@connectrpc/connect-node, ${protocol}, ${useBinaryFormat ? 'proto' : 'json'}, HTTP/${httpVersion}`;
      const useHttpGet = protocol === 'connect' && !useBinaryFormat;
      const shared = { httpVersion, useBinaryFormat, useHttpGet };
      checks.push([name, () => check(create, { ...shared, baseUrl: `http://127.0.0.1:${plan.port}` })]);
      if (useBinaryFormat) {
        const encrypted = { baseUrl: `https://127.0.0.1:${plan.tlsPort}`, nodeOptions: { ca } };
        checks.push([`${name}, TLS`, () => check(create, { ...shared, ...encrypted })]);
      }
    }
  }
}
await judge(checks);
process.exit(); // HTTP/2 sessions are kept open for calls to come

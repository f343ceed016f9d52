// @grpc/grpc-js: plaintext and TLS.
import { readFileSync } from 'node:fs';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import { base64, judge, plan, same } from './expected.mjs';

const definition = loader.loadSync('conformance/v1/calls.proto', { includeDirs: [plan.proto], keepCase: true });
const { Calls } = grpc.loadPackageDefinition(definition).conformance.v1;

async function calls(client) {
  try {
    const reply = await new Promise((resolve, reject) => {
      client.Echo({ payload: plan.echo }, (error, value) => (error ? reject(error) : resolve(value)));
    });
    same('Echo', base64(reply.payload), plan.payload);
    const replies = [];
    for await (const reply of client.Download(plan.download)) replies.push(base64(reply.payload));
    same('Download', replies, plan.stream);
    const failure = await new Promise((resolve) => client.Fail(plan.fail, (error) => resolve(error)));
    same('Fail', [failure?.code, failure?.details], [plan.fail.code, plan.fail.message]);
  } finally {
    client.close();
  }
}

const tls = grpc.credentials.createSsl(readFileSync(plan.certificate));
await judge([
  ['@grpc/grpc-js', () => calls(new Calls(`127.0.0.1:${plan.port}`, grpc.credentials.createInsecure()))],
  ['@grpc/grpc-js, TLS', () => calls(new Calls(`127.0.0.1:${plan.tlsPort}`, tls))],
]);

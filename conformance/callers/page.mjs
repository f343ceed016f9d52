// What the page in the browser does: connect-web in both of its protocols.
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';
import { calls, service } from './connect_calls.mjs';

const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
const text = (value) => btoa(String.fromCharCode(...value));

globalThis.judge = async (protocol, useBinaryFormat, plan) => {
  const create = protocol === 'connect' ? createConnectTransport : createGrpcWebTransport;
  const transport = create({ baseUrl: plan.baseUrl, useBinaryFormat, useHttpGet: !useBinaryFormat });
  const got = await calls(transport, service(bytes(plan.descriptorBytes)), plan, bytes(plan.payload));
  return { ...got, echo: text(got.echo), stream: got.stream.map(text) };
};

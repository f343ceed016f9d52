// Echo, Download and Fail by a client of @connectrpc/connect; it runs in Node and in a browser.
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { ConnectError, createClient } from '@connectrpc/connect';

export function service(descriptors) {
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors)).getService('conformance.v1.Calls');
}

// What came back, for the judge to compare.
export async function calls(transport, calledService, plan, echo) {
  const client = createClient(calledService, transport);
  const reply = await client.echo({ payload: echo });
  const stream = [];
  for await (const part of client.download(plan.download)) stream.push(part.payload);
  const failure = await client.fail(plan.fail).then(
    () => null,
    (error) => ConnectError.from(error),
  );
  return { echo: reply.payload, stream, code: failure?.code, message: failure?.rawMessage };
}

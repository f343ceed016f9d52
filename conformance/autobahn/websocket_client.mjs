// A stranger for Autobahn's fuzzing server to be tried on. Usage: --url=URL --agent=NAME.
import { WebSocket } from 'ws';

const flags = Object.fromEntries(process.argv.slice(2).map((flag) => flag.slice(2).split('=')));

// Opens a WebSocket, hands each message to `take`, and ends when it is closed.
function run(path, take) {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${flags.url}${path}`, { perMessageDeflate: false });
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => take(socket, data, isBinary));
    socket.on('close', resolve);
  });
}

const echo = (socket, data, isBinary) => socket.send(data, { binary: isBinary });
let count = 0;
await run('/getCaseCount', (_, data) => (count = Number(data)));
for (let number = 1; number <= count; number++) await run(`/runCase?case=${number}&agent=${flags.agent}`, echo);
await run(`/updateReports?agent=${flags.agent}`, () => {});

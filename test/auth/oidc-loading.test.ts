// What sign-in at an issuer needs of libraries is loaded when somebody signs in, and not before.
import { expect, onTestFinished, test } from 'vitest';
import { newProgram } from '../cli/program.ts';

const watch = `import { registerHooks } from 'node:module';
  registerHooks({ load(url, context, next) {
    const found = /node_modules\\/((?:@supabase\\/)?[^/]+)/.exec(url)?.[1] ?? '';
    if (/^(?:jose|oauth4webapi|@supabase\\/.*)$/.test(found)) process.stderr.write('loaded ' + found + '\\n');
    return next(url, context);
  } });`;

const configured = {
  DRAWBRIDGE_PUBLIC_URL: 'https://bridge.example.com',
  DRAWBRIDGE_OIDC_ISSUER: 'https://login.example',
  DRAWBRIDGE_OIDC_CLIENT_ID: 'client-1',
};

test.each([
  ['in local mode', {}],
  ['where an issuer is configured', configured],
])('a server that has just started has loaded none of it %s', async (_where, environment) => {
  const program = await newProgram({
    ...environment,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(watch)}`,
  });
  onTestFinished(() => program.remove());
  const server = program.start(['serve', '--port', '0', '--json']);
  let [said, told] = ['', ''];
  server.stdout?.on('data', (data) => {
    said += String(data);
  });
  server.stderr?.on('data', (data) => {
    told += String(data);
  });
  await expect.poll(() => said, { timeout: 30_000 }).toMatch(/\}\n$/);
  const closed = new Promise((resolve) => server.once('close', resolve));
  server.kill('SIGTERM');
  await closed;
  expect(told).not.toContain('loaded');
});

// undici behind a file of our own, which is loaded with the first call. A bundler gives whoever imports a
// CommonJS package by `import()` its default export alone; by name, as here, it gives what was asked for.
export { Agent, buildConnector, fetch } from 'undici';

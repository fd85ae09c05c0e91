// The floors of the house: imports go down, never up. Room by room, from the top.
const floors = [
  ['^src/cli\\.ts$', '^src/commands/'],
  ['^src/(server|serving|rooms|mcp-server)\\.ts$'],
  ['^src/http/'],
  ['^src/(dashboard|webhooks|jobs|tools|resources|prompts)/'],
  ['^src/recall/'],
  ['^src/(memory|queue)/'],
  ['^src/connections/'],
  ['^src/(auth|providers)/'],
  ['^src/(audit|observe)/'],
  ['^src/(egress|store)/'],
  ['^src/[^/]+\\.ts$'],
];

const top = ['^src/cli\\.ts$', '^src/(server|serving|rooms|mcp-server)\\.ts$'];
const pattern = (names) => names.join('|');

const climbing = floors.slice(1).map((names, index) => ({
  name: `floor-${index + 2}-climbs`,
  severity: 'error',
  comment: 'An import climbs a floor.',
  from: { path: pattern(names), ...(index + 2 === floors.length ? { pathNot: pattern(top) } : {}) },
  to: { path: pattern(floors.slice(0, index + 1).flat()) },
}));

export default {
  forbidden: [
    ...climbing,
    {
      name: 'no-circle',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'memory-and-queue-are-strangers',
      severity: 'error',
      comment: 'What joins them is done a floor above.',
      from: { path: '^src/(memory|queue)/' },
      to: { path: '^src/(memory|queue)/', pathNot: '^src/$1/' },
    },
    {
      name: 'a-provider-is-declarations',
      severity: 'error',
      comment:
        'A provider imports define, capabilities, record, its own files, the ground and its official client.',
      from: { path: '^src/providers/', pathNot: '^src/providers/catalog\\.ts$' },
      to: {
        path: '^src/(store|queue|memory|connections|auth|config|http|jobs|tools)(/|\\.ts$)|^node:(http|https|net|tls|dgram|child_process|fs)',
      },
    },
    {
      name: 'only-egress-opens-sockets',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(egress/|http/listen\\.ts$)' },
      to: { path: '^(node:)?(http|https|http2|net|tls|dgram)$|^node_modules/(undici|axios|node-fetch)/' },
    },
    {
      name: 'the-database-is-in-store',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(store/|memory/index/|memory/.*worker)' },
      to: { path: '^(node:)?sqlite$|^node_modules/(pg|@electric-sql)/' },
    },
    {
      name: 'nothing-ships-from-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|sandbox|scripts)/' },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};

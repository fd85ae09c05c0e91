// What takes an effect back is a write of the same provider: a name that leads nowhere would show only when
// somebody needs it.
import { expect, test } from 'vitest';
import { catalog } from '../../src/providers/catalog.ts';

test('each compensation names a write of its own provider', async () => {
  const providers = await Promise.all(catalog.map(({ load }) => load()));
  const named = providers.flatMap(({ id, operations }) =>
    Object.entries(operations).flatMap(([name, operation]) =>
      operation.effect === 'read' || operation.compensation === undefined
        ? []
        : [{ name: `${id}/${name}`, back: operations[operation.compensation.operation] }],
    ),
  );
  expect(named.map(({ name }) => name)).toContain('google-calendar/create');
  for (const { name, back } of named) {
    expect(back, name).toBeDefined();
    expect(back?.effect, name).not.toBe('read');
  }
});

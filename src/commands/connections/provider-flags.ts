// The flags that a provider's declared fields and credentials become.
import { z } from 'zod';
import type { Provider } from '../../providers/define.ts';

export interface DeclaredField {
  name: string;
  /** The key under which commander keeps the flag's value. */
  option: string;
  description: string;
}

function kebab(name: string): string {
  return name.replace(/_/g, '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function fieldFlag(name: string): string {
  return `--${kebab(name)}`;
}

export function secretFlag(name: string): string {
  return `--${kebab(name)}-stdin`;
}

/** The non-secret settings, in the order declared. */
export function fieldsOf(provider: Provider): DeclaredField[] {
  const schema = z.toJSONSchema(provider.fields, { io: 'input', unrepresentable: 'any' });
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    option: kebab(name).replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    description: (typeof property === 'object' ? property.description : undefined) ?? name,
  }));
}

/** The flag by which a field or a credential is given; undefined when the provider has neither. */
export function flagOf(provider: Provider, field: string): string | undefined {
  const [name = ''] = field.split('.');
  if (provider.secrets.some((secret) => secret.name === name)) return secretFlag(name);
  return fieldsOf(provider).some((declared) => declared.name === name) ? fieldFlag(name) : undefined;
}

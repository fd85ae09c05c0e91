// What a person is asked in order to connect an account of a provider: made from its declaration, for pages
// and terminals alike.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Provider } from '../../providers/define.ts';
import { scopesInWords } from './scopes.ts';

export interface FormField {
  name: string;
  description: string;
  required: boolean;
  /** The values that it takes, where they are few. */
  choices?: string[];
  /** What it is when nobody says. */
  preset?: string;
  /** As an invented account would have it. */
  example?: string;
}

export interface ConnectForm {
  provider: string;
  title: string;
  fields: FormField[];
  secrets: { name: string; title: string; hint: string; required: boolean }[];
  /** The one of them that takes the place of the sign-in. */
  pasted?: string;
  /** Undefined where there is nothing to agree to at the provider. */
  consent?: {
    app: string;
    /** False for a public client. */
    appHasSecret: boolean;
    /** Where the person is sent; `{placeholders}` may stand in it. */
    authorizeUrl: string;
    /** How the app is registered, a step each; `{redirectUrl}` stands for ours. */
    registration: readonly string[];
    read: ScopeInWords[];
    write: ScopeInWords[];
  };
  /** Whether a sign-in in the browser is needed shows only when the server is asked. */
  discovers: boolean;
  /** Titles of what agents may then propose. */
  proposes: string[];
  /** It has an MCP server of its own: a second way in. */
  hasMcp: boolean;
}

export interface ScopeInWords {
  scope: string;
  /** Titles of what needs it; empty: everything does. */
  needed: string[];
}

export function formOf(provider: Provider): ConnectForm {
  const schema = z.toJSONSchema(provider.fields, { io: 'input', unrepresentable: 'any' });
  const required = new Set(schema.required ?? []);
  const { auth } = provider;
  return {
    provider: provider.id,
    title: provider.title,
    fields: Object.entries(schema.properties ?? {}).map(([name, property]) => {
      const { description, enum: values, default: preset } = typeof property === 'object' ? property : {};
      const example = provider.example?.[name];
      return {
        name,
        description: description ?? name,
        required: required.has(name) && !isFilledIn(provider, name),
        ...(values === undefined ? {} : { choices: values.map(String) }),
        ...(typeof preset === 'string' ? { preset } : {}),
        ...(example === undefined ? {} : { example }),
      };
    }),
    secrets: provider.secrets.map(({ name, title, hint, optional }) => ({
      name,
      title,
      hint,
      required: optional !== true,
    })),
    ...(auth.kind === 'oauth2'
      ? {
          ...(auth.pasted === undefined ? {} : { pasted: auth.pasted }),
          consent: {
            app: auth.app,
            appHasSecret: auth.clientAuthentication !== 'none',
            authorizeUrl: auth.authorizeUrl,
            registration: auth.registration,
            read: scopesInWords(provider, 'read'),
            write: scopesInWords(provider, 'write'),
          },
        }
      : {}),
    discovers: auth.kind === 'discovered',
    proposes: Object.values(provider.operations)
      .filter(({ effect }) => effect !== 'read')
      .map(({ title }) => title),
    hasMcp: provider.mcp !== undefined,
  };
}

/** Whether the provider may know it by itself: it fills it in, or asks for it only where it could not. */
function isFilledIn(provider: Provider, name: string): boolean {
  if (provider.complete === undefined) return false;
  const { [name]: _left, ...rest } = provider.example ?? {};
  try {
    return provider.complete(rest)[name] !== undefined;
  } catch (thrown) {
    if (thrown instanceof DrawbridgeError) return thrown.field === name;
    throw thrown;
  }
}

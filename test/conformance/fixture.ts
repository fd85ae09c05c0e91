// What the official conformance runner expects of a server under test, registered beside nothing else and
// mounted on the real HTTP stack by serve.ts.
import { randomBytes, randomUUID } from 'node:crypto';
import {
  acceptedContent,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  createRequestStateCodec,
  fromJsonSchema,
  type GetPromptResult,
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
  McpServer,
  ResourceTemplate,
  type ServerContext,
  type ServerEvent,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const wav = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';
const state = createRequestStateCodec<Record<string, unknown>>({ key: randomBytes(32) });
const none = z.object({});

type Answer = CallToolResult | InputRequiredResult;
type Handler = (args: Record<string, unknown>, ctx: ServerContext) => Answer | Promise<Answer>;

const text = (value: string): CallToolResult => ({ content: [{ type: 'text', text: value }] });
const ask = (message: string, field: string, type: 'string' | 'boolean' = 'string') =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [field]: { type } as never }, required: [field] },
  });
const sample = (prompt: string) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
    maxTokens: 100,
  });

/** `publish` puts a change event on the listen streams of the 2026 wire. */
export function buildFixture(publish: (event: ServerEvent) => void): {
  server: McpServer;
  subscriptions: Set<string>;
} {
  const server = new McpServer(
    { name: 'drawbridge-conformance', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: state.verify },
    },
  );
  const subscriptions = new Set<string>();
  const tool = (name: string, description: string, handler: Handler, schema: z.ZodObject = none) =>
    server.registerTool(name, { description, inputSchema: schema }, (args, ctx) =>
      handler(args as Record<string, unknown>, ctx),
    );

  registerContent(server, tool);
  registerConversations(tool);
  registerRounds(tool);
  registerResources(server, subscriptions);
  registerPrompts(server);

  tool('test_trigger_tool_change', 'Publishes a change of the tool list', () => {
    publish({ kind: 'tools_list_changed' });
    return text('published');
  });
  tool('test_trigger_prompt_change', 'Publishes a change of the prompt list', () => {
    publish({ kind: 'prompts_list_changed' });
    return text('published');
  });
  server.server.setRequestHandler('logging/setLevel', () => ({}));
  server.server.setRequestHandler('completion/complete', () => ({
    completion: { values: [], total: 0, hasMore: false },
  }));
  return { server, subscriptions };
}

type Register = (name: string, description: string, handler: Handler, schema?: z.ZodObject) => unknown;

function registerContent(server: McpServer, tool: Register): void {
  tool('test_simple_text', 'Plain text', () => text('This is a simple text response for testing.'));
  tool('test_image_content', 'An image', () => ({
    content: [{ type: 'image', data: png, mimeType: 'image/png' }],
  }));
  tool('test_audio_content', 'A sound', () => ({
    content: [{ type: 'audio', data: wav, mimeType: 'audio/wav' }],
  }));
  tool('test_embedded_resource', 'A resource in the answer', () => ({
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  }));
  tool('test_multiple_content_types', 'Text, image and resource', () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      { type: 'image', data: png, mimeType: 'image/png' },
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: JSON.stringify({ test: 'data', value: 123 }),
        },
      },
    ],
  }));
  tool('test_error_handling', 'Fails', () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  tool('test_tool_with_logging', 'Logs while it runs', async (_args, ctx) => {
    for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await ctx.mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
    }
    return text('logged');
  });
  tool('test_logging_tool', 'Logs through the request, where it asked for a level', async (_args, ctx) => {
    await ctx.mcpReq.log('info', 'ran');
    return text('logged');
  });
  tool('test_streaming_elicitation', 'Asks nothing of the client', () => text('done'));
  tool('test_tool_with_progress', 'Tells its progress', async (_args, ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    if (progressToken === undefined) return text('no token');
    for (const progress of [0, 50, 100]) {
      await ctx.mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken, progress, total: 100, message: `${progress} of 100` },
      });
    }
    return text(String(progressToken));
  });
  server.registerTool(
    'test_x_mcp_header',
    {
      description: 'Mirrors a parameter into a header',
      inputSchema: fromJsonSchema<{ region?: string }>({
        type: 'object',
        properties: { region: { type: 'string', 'x-mcp-header': 'Region' } as never },
      }),
    },
    (args) => text(`region=${args.region ?? ''}`),
  );
}

/** Requests to the client, as the 2025 wires make them. */
function registerConversations(tool: Register): void {
  tool(
    'test_sampling',
    'Asks the client for a completion',
    async (args, ctx) => {
      const answer = await ctx.mcpReq.requestSampling({
        messages: [{ role: 'user', content: { type: 'text', text: String(args['prompt']) } }],
        maxTokens: 100,
      });
      return text(`LLM response: ${JSON.stringify(answer.content)}`);
    },
    z.object({ prompt: z.string() }),
  );
  const elicit =
    (message: (args: Record<string, unknown>) => string, schema: object): Handler =>
    async (args, ctx) => {
      const answer = await ctx.mcpReq.elicitInput({
        mode: 'form',
        message: message(args),
        requestedSchema: schema as never,
      });
      return text(`action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`);
    };
  tool(
    'test_elicitation',
    'Asks the person',
    elicit((args) => String(args['message']), {
      type: 'object',
      properties: { response: { type: 'string', description: "User's response" } },
      required: ['response'],
    }),
    z.object({ message: z.string() }),
  );
  tool(
    'test_elicitation_sep1034_defaults',
    'Asks with defaults',
    elicit(() => 'Review the fields', {
      type: 'object',
      properties: {
        name: { type: 'string', default: 'John Doe' },
        age: { type: 'integer', default: 30 },
        score: { type: 'number', default: 95.5 },
        status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
        verified: { type: 'boolean', default: true },
      },
      required: [],
    }),
  );
  tool(
    'test_elicitation_sep1330_enums',
    'Asks with every form of choice',
    elicit(() => 'Choose', {
      type: 'object',
      properties: {
        untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
        titledSingle: {
          type: 'string',
          oneOf: [
            { const: 'value1', title: 'First Option' },
            { const: 'value2', title: 'Second Option' },
            { const: 'value3', title: 'Third Option' },
          ],
        },
        legacyEnum: {
          type: 'string',
          enum: ['opt1', 'opt2', 'opt3'],
          enumNames: ['Option One', 'Option Two', 'Option Three'],
        },
        untitledMulti: {
          type: 'array',
          minItems: 1,
          maxItems: 3,
          items: { type: 'string', enum: ['option1', 'option2', 'option3'] },
        },
        titledMulti: {
          type: 'array',
          minItems: 1,
          maxItems: 3,
          items: {
            anyOf: [
              { const: 'value1', title: 'First Choice' },
              { const: 'value2', title: 'Second Choice' },
              { const: 'value3', title: 'Third Choice' },
            ],
          },
        },
      },
      required: [],
    }),
  );
}

/** Answers that ask for input first, as the 2026 wire makes them. */
function registerRounds(tool: Register): void {
  const responses = (ctx: ServerContext) =>
    ctx.mcpReq.inputResponses as
      | Record<string, { content?: { text?: string }; roots?: { uri?: string }[] }>
      | undefined;
  tool('test_input_required_result_elicitation', 'Asks for a name', (_args, ctx) => {
    const name = acceptedContent<{ name: string }>(ctx.mcpReq.inputResponses, 'user_name')?.name;
    return typeof name === 'string'
      ? text(`Hello, ${name}!`)
      : inputRequired({ inputRequests: { user_name: ask('What is your name?', 'name') } });
  });
  const sampled: Handler = (_args, ctx) => {
    const answer = responses(ctx)?.['capital_question'];
    return answer === undefined
      ? inputRequired({ inputRequests: { capital_question: sample('What is the capital of France?') } })
      : text(`Sampling response: ${answer.content?.text}`);
  };
  tool('test_input_required_result_sampling', 'Asks the client for a completion', sampled);
  tool('test_missing_capability', 'Needs sampling', sampled);
  tool('test_input_required_result_list_roots', 'Asks for the roots', (_args, ctx) => {
    const roots = responses(ctx)?.['client_roots']?.roots;
    return Array.isArray(roots)
      ? text(roots.map((root) => root.uri).join(', '))
      : inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
  });
  const confirmed =
    (name: string, done: string): Handler =>
    async (_args, ctx) => {
      const accepted = acceptedContent(ctx.mcpReq.inputResponses, 'confirm') !== undefined;
      if (accepted && ctx.mcpReq.requestState() !== undefined) return text(done);
      return inputRequired({
        inputRequests: { confirm: ask('Please confirm', 'ok', 'boolean') },
        requestState: await state.mint({ name, nonce: randomUUID() }),
      });
    };
  tool(
    'test_input_required_result_request_state',
    'Keeps its state with the client',
    confirmed('request_state', 'state-ok'),
  );
  tool(
    'test_input_required_result_tampered_state',
    'Refuses a changed state',
    confirmed('tampered_state', 'integrity-ok'),
  );
  tool('test_input_required_result_multiple_inputs', 'Asks three things at once', async (_args, ctx) => {
    const given = responses(ctx);
    const name = acceptedContent<{ name: string }>(ctx.mcpReq.inputResponses, 'user_name')?.name;
    const greeting = given?.['greeting']?.content?.text;
    const roots = given?.['client_roots']?.roots;
    if (typeof name === 'string' && typeof greeting === 'string' && Array.isArray(roots))
      return text(`${greeting} ${name}, ${roots.length} roots`);
    return inputRequired({
      inputRequests: {
        user_name: ask('What is your name?', 'name'),
        greeting: sample('Generate a greeting'),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await state.mint({ name: 'multiple', nonce: randomUUID() }),
    });
  });
  tool('test_input_required_result_multi_round', 'Asks twice', async (_args, ctx) => {
    const known = ctx.mcpReq.requestState<{ round?: number; name?: string }>();
    if (known?.round === undefined) {
      return inputRequired({
        inputRequests: { step1: ask('Step 1: What is your name?', 'name') },
        requestState: await state.mint({ round: 1, nonce: randomUUID() }),
      });
    }
    if (known.round === 1) {
      const name = acceptedContent<{ name: string }>(ctx.mcpReq.inputResponses, 'step1')?.name;
      return inputRequired({
        inputRequests: { step2: ask('Step 2: What is your favorite color?', 'color') },
        requestState: await state.mint({ round: 2, name, nonce: randomUUID() }),
      });
    }
    const color = acceptedContent<{ color: string }>(ctx.mcpReq.inputResponses, 'step2')?.color;
    return text(`${known.name} likes ${color}`);
  });
  tool('test_input_required_result_capabilities', 'Asks only for what the client can', (_args, ctx) => {
    if (ctx.mcpReq.inputResponses !== undefined) return text('answered');
    const can = (ctx.mcpReq.envelope as Record<string, ClientCapabilities> | undefined)?.[
      CLIENT_CAPABILITIES_META_KEY
    ];
    const inputRequests: InputRequests = {};
    if (can?.elicitation !== undefined) inputRequests['user_name'] = ask('What is your name?', 'name');
    if (can?.sampling !== undefined) inputRequests['greeting'] = sample('Generate a greeting');
    if (can?.roots !== undefined) inputRequests['client_roots'] = inputRequired.listRoots();
    return Object.keys(inputRequests).length === 0
      ? text('nothing to ask')
      : inputRequired({ inputRequests });
  });
}

function registerResources(server: McpServer, subscriptions: Set<string>): void {
  const fixed = (name: string, uri: string, mimeType: string, content: { text: string } | { blob: string }) =>
    server.registerResource(name, uri, { title: name, description: name, mimeType }, () => ({
      contents: [{ uri, mimeType, ...content }],
    }));
  fixed('static-text', 'test://static-text', 'text/plain', {
    text: 'This is the content of the static text resource.',
  });
  fixed('static-binary', 'test://static-binary', 'image/png', { blob: png });
  fixed('watched-resource', 'test://watched-resource', 'text/plain', { text: 'Watched resource content' });
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { title: 'Template', description: 'By id', mimeType: 'application/json' },
    (uri, { id }) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
        },
      ],
    }),
  );
  server.server.setRequestHandler('resources/subscribe', (request) => {
    subscriptions.add(request.params.uri);
    return {};
  });
  server.server.setRequestHandler('resources/unsubscribe', (request) => {
    subscriptions.delete(request.params.uri);
    return {};
  });
}

function registerPrompts(server: McpServer): void {
  const user = (value: string): GetPromptResult => ({
    messages: [{ role: 'user', content: { type: 'text', text: value } }],
  });
  server.registerPrompt('test_simple_prompt', { title: 'Simple', description: 'No arguments' }, () =>
    user('This is a simple prompt for testing.'),
  );
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      title: 'Arguments',
      description: 'Two arguments',
      argsSchema: z.object({ arg1: z.string().describe('First'), arg2: z.string().describe('Second') }),
    },
    ({ arg1, arg2 }) => user(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    {
      title: 'Resource',
      description: 'Embeds a resource',
      argsSchema: z.object({ resourceUri: z.string().describe('URI') }),
    },
    ({ resourceUri }) => ({
      messages: [
        {
          role: 'user',
          content: {
            type: 'resource',
            resource: {
              uri: resourceUri,
              mimeType: 'text/plain',
              text: 'Embedded resource content for testing.',
            },
          },
        },
        { role: 'user', content: { type: 'text', text: 'Please process the embedded resource above.' } },
      ],
    }),
  );
  server.registerPrompt('test_prompt_with_image', { title: 'Image', description: 'With an image' }, () => ({
    messages: [
      { role: 'user', content: { type: 'image', data: png, mimeType: 'image/png' } },
      { role: 'user', content: { type: 'text', text: 'Please analyze the image above.' } },
    ],
  }));
  server.registerPrompt(
    'test_input_required_result_prompt',
    { title: 'Asks first', description: 'Asks for context' },
    (given: unknown) => {
      const ctx = given as ServerContext;
      const context = acceptedContent<{ context: string }>(
        ctx.mcpReq.inputResponses,
        'user_context',
      )?.context;
      return typeof context === 'string'
        ? user(`Use the following context: ${context}`)
        : inputRequired({ inputRequests: { user_context: ask('What context?', 'context') } });
    },
  );
}

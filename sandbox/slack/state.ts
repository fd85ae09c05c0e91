// A workspace: its people, channels, messages and files, as Slack keeps them.
import type { Clock } from '../../src/clock.ts';

export interface SlackUser {
  id: string;
  name: string;
  deleted: boolean;
  is_bot: boolean;
  real_name: string;
  tz: string;
  profile: { real_name: string; display_name: string; email?: string; title?: string; phone?: string };
}

export interface SlackChannel {
  id: string;
  name?: string;
  is_im: boolean;
  is_mpim: boolean;
  is_private: boolean;
  is_archived: boolean;
  /** Who is in it. */
  members: string[];
  topic: string;
  purpose: string;
}

export interface SlackFile {
  id: string;
  name: string;
  title: string;
  mimetype: string;
  mode: string;
  size: number;
  created: number;
  user: string;
  is_external: boolean;
  url_private: string;
  permalink: string;
}

export interface SlackMessage {
  type: 'message';
  ts: string;
  user: string;
  text: string;
  subtype?: string;
  bot_id?: string;
  bot_profile?: { name: string };
  thread_ts?: string;
  /** A reply that is also shown in the channel. */
  broadcast?: boolean;
  edited?: { user: string; ts: string };
  files?: SlackFile[];
  blocks?: { type: string }[];
  metadata?: { event_type: string; event_payload: Record<string, unknown> };
}

export class SlackState {
  readonly users: SlackUser[] = [];
  readonly channels: SlackChannel[] = [];
  readonly files = new Map<string, { file: SlackFile; bytes: Buffer }>();
  readonly #messages = new Map<string, SlackMessage[]>();
  readonly #clock: Clock;
  #lastTs = 0;
  #made = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  addUser(
    user: Partial<SlackUser> & { id: string; name: string; real_name: string; email?: string },
  ): SlackUser {
    const { email, ...rest } = user;
    const made: SlackUser = {
      deleted: false,
      is_bot: false,
      tz: 'America/Los_Angeles',
      profile: {
        real_name: user.real_name,
        display_name: user.name,
        ...(email === undefined ? {} : { email }),
      },
      ...rest,
    };
    this.users.push(made);
    return made;
  }

  addChannel(channel: Partial<SlackChannel> & { id: string; members: string[] }): SlackChannel {
    const made: SlackChannel = {
      is_im: false,
      is_mpim: false,
      is_private: false,
      is_archived: false,
      topic: '',
      purpose: '',
      ...channel,
    };
    this.channels.push(made);
    return made;
  }

  /** @param at integer ms; default: now. No two messages have one ts. */
  post(channel: string, message: Omit<SlackMessage, 'type' | 'ts'>, at = this.#clock.now()): SlackMessage {
    this.#lastTs = Math.max(at * 1000, this.#lastTs + 100);
    const ts = `${String(Math.floor(this.#lastTs / 1e6)).padStart(10, '0')}.${String(this.#lastTs % 1e6).padStart(6, '0')}`;
    const made: SlackMessage = { type: 'message', ts, ...message };
    this.#of(channel).push(made);
    return made;
  }

  addFile(given: { name: string; mimetype: string; bytes: Buffer; user: string; mode?: string }): SlackFile {
    this.#made += 1;
    const id = `F0FILE${String(this.#made).padStart(4, '0')}`;
    const file: SlackFile = {
      id,
      name: given.name,
      title: given.name,
      mimetype: given.mimetype,
      mode: given.mode ?? 'hosted',
      size: given.bytes.length,
      created: Math.floor(this.#clock.now() / 1000),
      user: given.user,
      is_external: false,
      url_private: `https://files.slack.com/files-pri/T0TIDEWELL-${id}/${encodeURIComponent(given.name)}`,
      permalink: `https://tidewell.slack.com/files/${given.user}/${id}/${encodeURIComponent(given.name)}`,
    };
    this.files.set(id, { file, bytes: given.bytes });
    return file;
  }

  message(channel: string, ts: string): SlackMessage | undefined {
    return this.#of(channel).find((one) => one.ts === ts);
  }

  replies(channel: string, ts: string): SlackMessage[] {
    return this.#of(channel).filter((one) => one.thread_ts === ts && one.ts !== ts);
  }

  /** What stands in the channel itself, newest first. */
  shown(channel: string): SlackMessage[] {
    return this.#of(channel)
      .filter(
        ({ thread_ts, ts, broadcast }) => thread_ts === undefined || thread_ts === ts || broadcast === true,
      )
      .sort((one, other) => (one.ts < other.ts ? 1 : -1));
  }

  edit(channel: string, ts: string, text: string): void {
    const message = this.message(channel, ts);
    if (message === undefined) throw new Error(`no message ${ts}`);
    const at = `${Math.floor(this.#clock.now() / 1000)}.000000`;
    Object.assign(message, { text, edited: { user: message.user, ts: at } });
  }

  /** One with replies leaves its place behind. */
  delete(channel: string, ts: string): void {
    const all = this.#of(channel);
    const message = this.message(channel, ts);
    if (message === undefined) return;
    if (this.replies(channel, ts).length === 0) {
      all.splice(all.indexOf(message), 1);
      return;
    }
    const place = { subtype: 'tombstone', user: 'USLACKBOT', text: 'This message was deleted.' };
    all.splice(all.indexOf(message), 1, { type: 'message', ts, thread_ts: ts, ...place });
  }

  #of(channel: string): SlackMessage[] {
    const known = this.#messages.get(channel) ?? [];
    this.#messages.set(channel, known);
    return known;
  }
}

// Campaigns with their text and their reports. One that was sent cannot be changed.
import type { Clock } from '../../src/clock.ts';
import type { Answer } from '../http.ts';
import type { Call } from '../providers.ts';
import { bodyOf, json, missing, page, problem, stamp, textOf, thinned, unfit } from './answers.ts';
import type { Audience } from './contacts.ts';

export interface Campaign {
  id: string;
  webId: number;
  status: 'save' | 'schedule' | 'sending' | 'sent';
  audience: string;
  settings: Record<string, string>;
  /** Integer ms. */
  created: number;
  sent: number | undefined;
  text: string;
  html: string;
  numbers: { emails: number; opens: number; uniqueOpens: number; clicks: number; clickers: number };
}

export class Campaigns {
  readonly all = new Map<string, Campaign>();
  readonly #clock: Clock;
  readonly #audiences: ReadonlyMap<string, Audience>;
  #made = 0;

  constructor(clock: Clock, audiences: ReadonlyMap<string, Audience>) {
    this.#clock = clock;
    this.#audiences = audiences;
  }

  add(audience: string, settings: Record<string, string>, given: Partial<Campaign> = {}): Campaign {
    this.#made += 1;
    const campaign: Campaign = {
      id: `ca${String(this.#made).padStart(8, '0')}`,
      webId: 900_000 + this.#made,
      status: 'save',
      audience,
      settings,
      created: this.#clock.now(),
      sent: undefined,
      text: '',
      html: '',
      numbers: { emails: 0, opens: 0, uniqueOpens: 0, clicks: 0, clickers: 0 },
      ...given,
    };
    this.all.set(campaign.id, campaign);
    return campaign;
  }

  /** Undefined where the call is about something else. */
  handle(call: Call): Answer | undefined {
    const report = /^\/3\.0\/reports\/([^/]+)$/.exec(call.path)?.[1];
    if (report !== undefined && call.method === 'GET') return this.#report(call, this.all.get(report));
    const [matched, id, rest = ''] = /^\/3\.0\/campaigns(?:\/([^/]+)(.*))?$/.exec(call.path) ?? [];
    if (matched === undefined) return undefined;
    if (id === undefined) return call.method === 'POST' ? this.#create(call) : this.#list(call);
    const found = this.all.get(id);
    if (found === undefined) return missing();
    if (rest === '/content') return this.#content(call, found);
    if (rest === '/actions/send' && call.method === 'POST') {
      found.status = 'sent';
      found.sent = this.#clock.now();
      return { status: 204 };
    }
    if (rest !== '') return missing();
    if (call.method === 'DELETE') {
      this.all.delete(id);
      return { status: 204 };
    }
    return thinned(call, this.#body(found));
  }

  #list(call: Call): Answer {
    const [status, list] = [call.query.get('status'), call.query.get('list_id')];
    const field = call.query.get('sort_field') === 'send_time' ? 'sent' : 'created';
    const down = call.query.get('sort_dir') === 'ASC' ? 1 : -1;
    const all = [...this.all.values()]
      .filter((one) => (status === null || one.status === status) && (list === null || one.audience === list))
      .sort((a, b) => down * ((a[field] ?? 0) - (b[field] ?? 0)));
    const campaigns = page(call, all).map((one) => this.#body(one));
    return unfit(call) ?? thinned(call, { campaigns, total_items: all.length });
  }

  #create(call: Call): Answer {
    const body = bodyOf(call) ?? {};
    const recipients = body['recipients'] as { list_id?: string } | undefined;
    const list = recipients?.list_id;
    if (list !== undefined && !this.#audiences.has(list)) {
      return problem(400, 'Invalid Resource', 'The resource submitted could not be validated.', [
        { field: 'recipients.list_id', message: 'The list does not exist.' },
      ]);
    }
    const given = (body['settings'] ?? {}) as Record<string, unknown>;
    const settings = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, textOf(value)]));
    return json(this.#body(this.add(list ?? '', settings)));
  }

  #content(call: Call, campaign: Campaign): Answer {
    if (call.method === 'PUT') {
      if (campaign.status !== 'save') {
        return problem(400, 'Bad Request', 'Cannot set content on a campaign that is not a draft.');
      }
      const { html, plain_text: plain } = bodyOf(call) ?? {};
      if (typeof html === 'string') {
        campaign.html = html;
        campaign.text =
          typeof plain === 'string'
            ? plain
            : html
                .replace(/<[^>]*>/g, ' ')
                .replace(/\s+/g, ' ')
                .trim();
      } else campaign.text = textOf(plain);
    }
    const { text, html } = campaign;
    return thinned(call, { plain_text: text, html, archive_html: html });
  }

  #report(call: Call, campaign: Campaign | undefined): Answer {
    if (campaign?.sent === undefined) return missing();
    const { emails, opens, uniqueOpens, clicks, clickers } = campaign.numbers;
    return thinned(call, {
      id: campaign.id,
      campaign_title: campaign.settings['title'] ?? '',
      type: 'regular',
      list_id: campaign.audience,
      list_is_active: true,
      list_name: this.#audiences.get(campaign.audience)?.name ?? '',
      subject_line: campaign.settings['subject_line'] ?? '',
      emails_sent: emails,
      abuse_reports: 0,
      unsubscribed: 1,
      send_time: stamp(campaign.sent),
      bounces: { hard_bounces: 1, soft_bounces: 0, syntax_errors: 0 },
      opens: { opens_total: opens, unique_opens: uniqueOpens, open_rate: rate(uniqueOpens, emails) },
      clicks: {
        clicks_total: clicks,
        unique_clicks: clicks,
        unique_subscriber_clicks: clickers,
        click_rate: rate(clickers, emails),
      },
    });
  }

  #body(campaign: Campaign): Record<string, unknown> {
    const { id, webId, status, audience, settings, created, sent, numbers } = campaign;
    return {
      id,
      web_id: webId,
      type: 'regular',
      create_time: stamp(created),
      archive_url: `https://mailchi.mp/tidewell/${id}`,
      long_archive_url: `https://mailchi.mp/tidewell/${id}`,
      status,
      emails_sent: numbers.emails,
      // The contract has a time or nothing here.
      ...(sent === undefined ? {} : { send_time: stamp(sent) }),
      content_type: 'html',
      recipients: {
        list_id: audience,
        list_is_active: true,
        list_name: this.#audiences.get(audience)?.name ?? '',
        segment_text: '',
        recipient_count: numbers.emails,
      },
      settings: { subject_line: '', title: '', from_name: '', reply_to: '', ...settings },
      ...(sent === undefined
        ? {}
        : {
            report_summary: {
              opens: numbers.opens,
              unique_opens: numbers.uniqueOpens,
              open_rate: rate(numbers.uniqueOpens, numbers.emails),
              clicks: numbers.clicks,
              subscriber_clicks: numbers.clickers,
              click_rate: rate(numbers.clickers, numbers.emails),
            },
          }),
    };
  }
}

const rate = (some: number, all: number) => (all === 0 ? 0 : Math.round((some / all) * 1e6) / 1e6);

// A small mail to send, for tests.
import type { MailSend } from '../../../src/providers/capabilities.ts';

export function mailTo(to: string, more: Partial<MailSend> = {}): MailSend {
  return {
    to: [{ email: to }],
    cc: [],
    bcc: [],
    subject: 'Viewing on Friday',
    text: 'Shall we say three?',
    references: [],
    attachments: [],
    ...more,
  };
}

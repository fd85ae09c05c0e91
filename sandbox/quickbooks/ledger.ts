// What QuickBooks does with what it is sent: checks references and versions, numbers papers, adds up.
import { z } from 'zod';
import { fault, Refused } from './answers.ts';
import type { Body, BookRecord, Books, Entity } from './state.ts';

const reference = z.object({ value: z.string(), name: z.string().optional() });
const line = z.looseObject({
  Amount: z.number(),
  DetailType: z.string().optional(),
  SalesItemLineDetail: z
    .looseObject({
      ItemRef: reference.optional(),
      Qty: z.number().optional(),
      UnitPrice: z.number().optional(),
    })
    .optional(),
  LinkedTxn: z.array(z.object({ TxnId: z.string(), TxnType: z.string() })).optional(),
});
type Line = z.infer<typeof line>;

export interface Ledger {
  create(entity: Entity, body: Body): BookRecord;
  update(entity: Entity, body: Body): BookRecord;
  void(entity: Entity, body: Body): BookRecord;
  remove(entity: Entity, body: Body): void;
  send(entity: Entity, id: string, to: string | null): BookRecord;
}

export function createLedger(
  books: Books,
  now: () => number,
  mailed: (mail: { entity: Entity; id: string; to: string }) => void,
): Ledger {
  const refuse = (code: string, message: string, detail?: string): never => {
    throw new Refused(fault(400, now(), { code, message, ...(detail === undefined ? {} : { detail }) }));
  };

  function customerOf(body: Body): BookRecord {
    const named = reference.safeParse(body['CustomerRef']).data;
    if (named === undefined)
      return refuse('2020', 'Required param missing, need to supply the required value');
    const found = books.get('Customer', named.value);
    return (
      found ??
      refuse(
        '2500',
        'Invalid Reference Id',
        `Invalid Reference Id : Names element id ${named.value} not found`,
      )
    );
  }

  function linesOf(body: Body): Line[] {
    const lines = z.array(line).min(1).safeParse(body['Line']).data;
    return (
      lines ?? refuse('2020', 'Required param missing, need to supply the required value', 'Line is missing')
    );
  }

  function sale(entity: 'Invoice' | 'Estimate', body: Body): Body {
    const customer = customerOf(body);
    const lines = linesOf(body).map((one, index) => {
      const detail = one.SalesItemLineDetail;
      const item = books.get('Item', detail?.ItemRef?.value ?? '');
      if (item === undefined) return refuse('2500', 'Invalid Reference Id');
      const worth = Math.round((detail?.Qty ?? 1) * (detail?.UnitPrice ?? one.Amount) * 100) / 100;
      if (worth !== one.Amount) return refuse('6070', 'Amount calculation incorrect in the request');
      return {
        ...one,
        Id: String(index + 1),
        LineNum: index + 1,
        SalesItemLineDetail: { ...detail, ItemRef: { value: item.Id, name: String(item['Name']) } },
      };
    });
    const total = sum(lines.map(({ Amount }) => Amount));
    const number = body['DocNumber'];
    if (number !== undefined && books.all(entity).some((other) => other['DocNumber'] === number)) {
      return refuse('6140', 'Duplicate Document Number Error', 'You must specify a different number.');
    }
    return {
      ...body,
      DocNumber: number ?? books.nextNumber(),
      TxnDate: body['TxnDate'] ?? new Date(now()).toISOString().slice(0, 10),
      CustomerRef: { value: customer.Id, name: customer['DisplayName'] },
      CurrencyRef: currencyOf(body, customer),
      Line: [...lines, { Amount: total, DetailType: 'SubTotalLineDetail', SubTotalLineDetail: {} }],
      TotalAmt: total,
      PrintStatus: 'NeedToPrint',
      EmailStatus: body['EmailStatus'] ?? 'NotSet',
      ...(entity === 'Invoice' ? { Balance: total } : { TxnStatus: 'Pending' }),
    };
  }

  function currencyOf(body: Body, customer: BookRecord): unknown {
    const asked = reference.safeParse(body['CurrencyRef']).data?.value;
    const own = reference.safeParse(customer['CurrencyRef']).data ?? {
      value: 'USD',
      name: 'United States Dollar',
    };
    if (asked !== undefined && asked !== own.value)
      return refuse(
        '6000',
        'A business validation error has occurred while processing your request',
        'The currency is not that of the customer.',
      );
    return own;
  }

  function payment(body: Body): Body {
    const customer = customerOf(body);
    const total =
      z.number().positive().safeParse(body['TotalAmt']).data ??
      refuse('2020', 'Required param missing, need to supply the required value');
    const lines =
      z.array(line).safeParse(body['Line'] ?? []).data ?? refuse('2020', 'Required param missing');
    const applied = sum(lines.map(({ Amount }) => Amount));
    if (applied > total)
      refuse(
        '6000',
        'A business validation error has occurred while processing your request',
        'The amount applied is more than the payment.',
      );
    for (const { Amount, LinkedTxn = [] } of lines) {
      for (const { TxnId } of LinkedTxn) {
        const invoice = books.get('Invoice', TxnId);
        const whose = reference.safeParse(invoice?.['CustomerRef']).data?.value;
        if (invoice === undefined || whose !== customer.Id) return refuse('2500', 'Invalid Reference Id');
        if (Number(invoice['Balance']) < Amount)
          return refuse(
            '6000',
            'A business validation error has occurred while processing your request',
            'The invoice owes less.',
          );
      }
    }
    for (const { Amount, LinkedTxn = [] } of lines) {
      for (const { TxnId } of LinkedTxn) {
        const invoice = books.get('Invoice', TxnId);
        books.change('Invoice', TxnId, { Balance: sum([Number(invoice?.['Balance']), -Amount]) });
      }
    }
    return {
      ...body,
      TxnDate: body['TxnDate'] ?? new Date(now()).toISOString().slice(0, 10),
      CustomerRef: { value: customer.Id, name: customer['DisplayName'] },
      CurrencyRef: currencyOf(body, customer),
      UnappliedAmt: sum([total, -applied]),
      Line: lines,
    };
  }

  function customer(body: Body): Body {
    const name = z.string().min(1).safeParse(body['DisplayName']).data;
    if (name === undefined)
      return refuse('2020', 'Required param missing, need to supply the required value', 'A name is missing');
    const twin = books
      .all('Customer')
      .some((other) => String(other['DisplayName']).toLowerCase() === name.toLowerCase());
    if (twin) return refuse('6240', 'Duplicate Name Exists Error', 'The name supplied already exists.');
    return { Active: true, Balance: 0, CurrencyRef: { value: 'USD', name: 'United States Dollar' }, ...body };
  }

  /** The live record, in the version that was sent. */
  function current(entity: Entity, body: Body): BookRecord {
    const { Id, SyncToken } =
      z.object({ Id: z.string(), SyncToken: z.string() }).safeParse(body).data ??
      refuse('2020', 'Required param missing, need to supply the required value');
    const found = books.get(entity, Id);
    if (found === undefined)
      return refuse(
        '610',
        'Object Not Found',
        'Object Not Found : Something you’re trying to use has been made inactive.',
      );
    if (found.SyncToken !== SyncToken)
      return refuse(
        '5010',
        'Stale Object Error',
        'Stale Object Error : You and another user were working on this at the same time.',
      );
    return found;
  }

  return {
    create(entity, body) {
      if (entity === 'Customer') return books.add(entity, customer(body));
      if (entity === 'Payment') return books.add(entity, payment(body));
      if (entity === 'Item') return books.add(entity, body);
      return books.add(entity, sale(entity, body));
    },
    update(entity, body) {
      const { Id } = current(entity, body);
      const { sparse, Id: _id, SyncToken: _token, ...changes } = body;
      // What is left out of a full update is cleared; nobody here does that.
      if (sparse !== true)
        return refuse('2010', 'Request has invalid or unsupported property', 'only sparse updates');
      return books.change(entity, Id, changes);
    },
    void(entity, body) {
      const { Id, PrivateNote } = current(entity, body);
      const note = typeof PrivateNote === 'string' ? `Voided - ${PrivateNote}` : 'Voided';
      const open = entity === 'Invoice' ? { Balance: 0 } : { UnappliedAmt: 0 };
      return books.change(entity, Id, { TotalAmt: 0, ...open, PrivateNote: note });
    },
    remove(entity, body) {
      books.delete(entity, current(entity, body).Id);
    },
    send(entity, id, to) {
      const found = books.get(entity, id);
      if (found === undefined) return refuse('610', 'Object Not Found');
      const stored = z.object({ Address: z.string() }).safeParse(found['BillEmail']).data?.Address;
      const address =
        to ??
        stored ??
        refuse(
          '6000',
          'A business validation error has occurred while processing your request',
          'An e-mail address is missing.',
        );
      mailed({ entity, id, to: address });
      return books.change(entity, id, {
        BillEmail: { Address: address },
        EmailStatus: 'EmailSent',
        DeliveryInfo: { DeliveryType: 'Email', DeliveryTime: new Date(now()).toISOString() },
      });
    },
  };
}

/** In cents, so that nothing is lost. */
function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + Math.round(amount * 100), 0) / 100;
}

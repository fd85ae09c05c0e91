// Equal reads that are under way at once are one call. Each who asked gets its own copy, and may give up
// without ending the call for the others; a write of the connection lets nobody join what began before it.
import type { Answer } from './answer.ts';

interface Flight {
  answer: Promise<Answer>;
  /** Those who still want it. */
  aboard: number;
  stop: AbortController;
}

export interface Flights {
  /** Joins the call of that key which is under way on the connection, or starts it. */
  join(
    connection: string,
    key: string,
    signal: AbortSignal | undefined,
    start: (signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer>;
  /** What is under way on the connection takes nobody more: what it brings may be old. */
  seal(connection: string): void;
}

export function createFlights(): Flights {
  const connections = new Map<string, Map<string, Flight>>();

  function leave(connection: string, key: string, flight: Flight): void {
    const flights = connections.get(connection);
    if (flights?.get(key) !== flight) return;
    flights.delete(key);
    if (flights.size === 0) connections.delete(connection);
  }

  function depart(connection: string, key: string, start: (signal: AbortSignal) => Promise<Answer>): Flight {
    const stop = new AbortController();
    const flight: Flight = { answer: start(stop.signal), aboard: 0, stop };
    const flights = connections.get(connection) ?? new Map<string, Flight>();
    connections.set(connection, flights.set(key, flight));
    const over = (): void => leave(connection, key, flight);
    flight.answer.then(over, over);
    return flight;
  }

  return {
    async join(connection, key, signal, start) {
      signal?.throwIfAborted();
      const flight = connections.get(connection)?.get(key) ?? depart(connection, key, start);
      flight.aboard += 1;
      if (signal === undefined) return flight.answer;
      return new Promise<Answer>((resolve, reject) => {
        const giveUp = (): void => {
          flight.aboard -= 1;
          if (flight.aboard === 0) {
            leave(connection, key, flight);
            flight.stop.abort(signal.reason);
          }
          reject(signal.reason);
        };
        signal.addEventListener('abort', giveUp, { once: true });
        flight.answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
      });
    },
    seal: (connection) => void connections.delete(connection),
  };
}

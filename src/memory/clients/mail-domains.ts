// Domains of addresses: which of them belong to everybody, so that sharing one says nothing.

const free = new Set(
  `gmail.com googlemail.com outlook.com hotmail.com hotmail.co.uk hotmail.fr hotmail.de hotmail.es live.com live.co.uk
  msn.com yahoo.com yahoo.co.uk yahoo.de yahoo.fr yahoo.es ymail.com rocketmail.com icloud.com me.com mac.com aol.com
  aol.co.uk gmx.de gmx.net gmx.com gmx.at gmx.ch web.de t-online.de freenet.de arcor.de posteo.de mailbox.org
  protonmail.com proton.me pm.me tutanota.com tuta.com fastmail.com hey.com zoho.com mail.com mail.ru yandex.ru
  yandex.com orange.fr wanadoo.fr free.fr laposte.net sfr.fr libero.it virgilio.it tiscali.it alice.it telefonica.net
  terra.es ziggo.nl kpnmail.nl planet.nl xs4all.nl telenet.be skynet.be bluewin.ch btinternet.com sky.com virginmedia.com
  talktalk.net ntlworld.com blueyonder.co.uk comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net
  charter.net earthlink.net rogers.com shaw.ca sympatico.ca bigpond.com optusnet.com.au qq.com 163.com 126.com naver.com
  uol.com.br bol.com.br`.split(/\s+/u),
);

/** The domain of an address, lower case; undefined for what is none. */
export function domainOf(address: string): string | undefined {
  const at = address.lastIndexOf('@');
  return at < 1 || at === address.length - 1 ? undefined : address.slice(at + 1).toLowerCase();
}

/** Whether anybody may have an address there. */
export function isFreeMail(domain: string): boolean {
  return free.has(domain);
}

/** `ana+homes@x.test` as `ana@x.test`; undefined where there is no such tag. */
export function withoutTag(address: string): string | undefined {
  const match = /^([^+@]+)\+[^@]*(@.+)$/u.exec(address);
  return match === null ? undefined : `${match[1]}${match[2]}`;
}

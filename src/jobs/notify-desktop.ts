// A notice on the desktop, by the system's own program: fixed arguments, no shell, and the text only where no
// program takes it for anything but text.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { visibleLine } from '../untrusted.ts';

const run = promisify(execFile);
const longestRunMs = 10_000;
const longestText = 240;

export interface Notice {
  title: string;
  /** May quote what others wrote. */
  text: string;
}

export interface Invocation {
  file: string;
  args: readonly string[];
  /** Added to the environment. */
  variables: Readonly<Record<string, string>>;
}

// The text reaches PowerShell through the environment: what follows -Command it would read as a program. As a
// text node it is no markup of the toast either.
const toast = [
  '[Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime] | Out-Null',
  '$xml = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent([Windows.UI.Notifications.ToastTemplateType]::ToastText02)',
  "$lines = $xml.GetElementsByTagName('text')",
  '$lines.Item(0).AppendChild($xml.CreateTextNode($env:NOTICE_TITLE)) | Out-Null',
  '$lines.Item(1).AppendChild($xml.CreateTextNode($env:NOTICE_TEXT)) | Out-Null',
  "[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier('Drawbridge').Show([Windows.UI.Notifications.ToastNotification]::new($xml))",
].join('; ');

/**
 * The program that shows a notice, or undefined on a platform without one. Sources: notify-send(1) and the Desktop
 * Notifications Specification (its body may hold markup), osascript(1), ToastNotificationManager of WinRT.
 */
export function invocationOf(platform: NodeJS.Platform, notice: Notice): Invocation | undefined {
  const [title, text] = [notice.title, notice.text].map((part) => visibleLine(part, longestText)) as [
    string,
    string,
  ];
  if (platform === 'linux') {
    // notify-send reads C escapes in the body, and servers may read markup there.
    const body = text.replaceAll('\\', '\\\\').replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
    return { file: 'notify-send', args: ['--app-name=Drawbridge', '--', title, body], variables: {} };
  }
  if (platform === 'darwin') {
    const script = [
      'on run argv',
      'display notification (item 2 of argv) with title (item 1 of argv)',
      'end run',
    ];
    return {
      file: 'osascript',
      args: [...script.flatMap((line) => ['-e', line]), title, text],
      variables: {},
    };
  }
  if (platform === 'win32') {
    return {
      file: 'powershell.exe',
      args: ['-NoProfile', '-NonInteractive', '-Command', toast],
      variables: { NOTICE_TITLE: title, NOTICE_TEXT: text },
    };
  }
  return undefined;
}

/** @returns false where there is no such program @throws Error when it fails */
export async function showOnDesktop(
  notice: Notice,
  given: { platform: NodeJS.Platform; environment: NodeJS.ProcessEnv },
): Promise<boolean> {
  const invocation = invocationOf(given.platform, notice);
  if (invocation === undefined) return false;
  const { file, args, variables } = invocation;
  try {
    await run(file, [...args], { timeout: longestRunMs, env: { ...given.environment, ...variables } });
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return false;
    throw thrown;
  }
}

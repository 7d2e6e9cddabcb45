/**
 * Podman without a daemon, systemd or Docker, as root: images are built in a chroot and run with crun. Images and what they
 * are built from are kept below /var/tmp, apart from any others of this machine.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { command } from './command.ts';

export const folder = '/var/tmp/resnet50-encoder-tests';
const programs = ['podman', 'crun', 'debootstrap', 'nsenter', 'unshare', 'curl', 'node'];

/** What is missing to build and run images; undefined when nothing is. */
export const missingPodman: string | undefined =
  process.platform !== 'linux' || process.getuid?.() !== 0
    ? 'images are built as root on Linux'
    : programs.filter((name) => !Bun.which(name)).map((name) => `${name} is not installed`)[0];

const storage = ['--root', join(folder, 'images'), '--runroot', '/run/resnet50-encoder-tests'];
// Layers are unpacked there; /tmp may be small.
const env = { ...process.env, TMPDIR: '/var/tmp' };

/** @throws Error with what it printed when it fails */
export const podman = (...args: string[]): Promise<string> =>
  command(['podman', ...storage, ...args], { env });

/** Whether the kernel offers both generations of control groups, which crun refuses. */
const hybridCgroups = existsSync('/sys/fs/cgroup/unified');
const withOneCgroupTree =
  'umount -lR /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; exec "$@"';

/**
 * The command line of `podman run` with Docker's rules: an ordinary user may listen on port 80; and stricter ones: nothing
 * can be written, no rights can be had, no network but the loopback interface.
 */
export function runCommand(image: string, options: readonly string[], args: readonly string[]) {
  const enter = ['unshare', '--mount', 'sh', '-c', withOneCgroupTree, 'sh'];
  return [
    ...(hybridCgroups ? enter : []),
    ...['podman', ...storage, 'run', '--rm', '--cgroups=disabled'],
    ...['--network=none', '--sysctl=net.ipv4.ip_unprivileged_port_start=0'],
    ...['--read-only', '--read-only-tmpfs=false'],
    ...['--cap-drop=all', '--security-opt=no-new-privileges'],
    // Podman wants to raise these; and systemd, which would call the health check, may not be there.
    ...['--ulimit=nofile=1024:1024', '--ulimit=nproc=1024:1024', '--health-interval=disable'],
    ...options,
    image,
    ...args,
  ];
}

/** Runs a command of the image to its end. @returns what it printed, errors included */
export const runToEnd = (
  image: string,
  options: readonly string[],
  ...args: string[]
): Promise<string> => command(runCommand(image, options, args), { env, withErrors: true });

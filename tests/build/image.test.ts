/** The image as a user builds and runs it: Docker's rules, and none of its rights. */
import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Glob } from 'bun';
import packageJson from '../../package.json' with { type: 'json' };
import { testUnless } from '../support/data.ts';
import { smallTestModel } from '../support/models.ts';
import { texturePng } from '../support/pictures.ts';
import { testFolder } from '../support/test-folder.ts';
import { startContainer } from './support/container.ts';
import { makeCertificate, serveHttps } from './support/https-server.ts';
import { buildImage } from './support/image.ts';
import { missingPodman, podman, runToEnd } from './support/podman.ts';

const commit = '0123456789ab';
let image = '';
if (!missingPodman) {
  // Making the Debian it is built on takes most of it, the first time.
  beforeAll(async () => {
    image = await buildImage(commit);
  }, 900_000);
  afterAll(() => podman('image', 'prune', '--force'), 60_000);
}

const imageTest = (name: string, body: () => Promise<unknown>, missing = missingPodman): void =>
  testUnless(missing, `image, ${name}`, body, 120_000);

const picture = Buffer.from(texturePng({ width: 60, height: 40, seed: 3 })).toString('base64');
const operator = (port: number, method: string): string =>
  `http://localhost:${port}/omnisearch.Operator/${method}`;

describe('what is in it', () => {
  imageTest('holds the executable, what it needs of Debian, and no shell', async () => {
    const root = (await podman('image', 'mount', image)).trim();
    try {
      const files = [...new Glob('**/*').scanSync({ cwd: root, dot: true, onlyFiles: true })];
      const names = files.filter(
        (file) => !/^(usr\/share\/doc|var\/lib\/dpkg\/status\.d)\//.test(file),
      );
      const fixed = [
        'etc/group',
        'etc/nsswitch.conf',
        'etc/passwd',
        'etc/ssl/certs/ca-certificates.crt',
      ];
      const libraries =
        /^usr\/lib(64)?\/.*(ld-linux|libc|libm|libdl|libpthread|librt|libresolv|libnss_dns|libnss_files|libgcc_s|libstdc\+\+|libvulkan)[^/]*\.so\.\d$/;
      const others = names.filter((file) => !fixed.includes(file) && !libraries.test(file));
      expect(others).toEqual(['resnet50-encoder']);
      expect(names).toEqual(expect.arrayContaining(fixed));
      const scanned = readdirSync(join(root, 'var/lib/dpkg/status.d')).sort();
      expect(scanned).toEqual([
        'ca-certificates',
        'libc6',
        'libgcc-s1',
        'libstdc++6',
        'libvulkan1',
      ]);
    } finally {
      await podman('image', 'unmount', image);
    }
  });

  imageTest('is at most 180 MB, and 80 MB to download, without its model', async () => {
    const model = statSync(smallTestModel()).size;
    const size = Number(await podman('image', 'inspect', '--format={{.Size}}', image));
    expect(size - model).toBeLessThan(180e6);
    const pushed = testFolder('image');
    await podman('push', '--format=v2s2', '--compress', image, `dir:${pushed}`);
    const sizes = readdirSync(pushed).map((file) => statSync(join(pushed, file)).size);
    const download = sizes.reduce((sum, bytes) => sum + bytes, 0);
    const figures = [size - model, download].map((bytes) => (bytes / 1e6).toFixed(1));
    console.log(`without its model: ${figures[0]} MB; ${figures[1]} MB to download`);
    expect(download).toBeLessThan(80e6);
  });

  imageTest('says what it is, and how its health is seen', async () => {
    const inspect = (what: string): Promise<string> =>
      podman('image', 'inspect', `--format={{json ${what}}}`, image);
    const Config = JSON.parse(await inspect('.Config'));
    const health = JSON.parse(await inspect('.HealthCheck'));
    expect(Config.User).toBe('65532:65532');
    expect(Config.Labels).toMatchObject({
      'org.opencontainers.image.title': packageJson.name,
      'org.opencontainers.image.version': packageJson.version,
      'org.opencontainers.image.licenses': packageJson.license,
      'org.opencontainers.image.revision': commit,
    });
    expect(health.Test).toEqual(['CMD', '/resnet50-encoder', 'healthcheck']);
    expect(await runToEnd(image, [], '--version')).toContain(
      `(commit ${commit})\nmodel small_encoder-fp32-`,
    );
  });
});

describe('as it serves', () => {
  imageTest(
    'with no environment listens on port 80, as nobody in particular, and ends well',
    async () => {
      await using container = await startContainer(image, [], 80);
      const status = readFileSync(`/proc/${container.pid}/status`, 'utf8');
      expect(status).toMatch(/^Uid:\t65532\t65532/m);
      expect(status).toMatch(/^CapEff:\t0+$/m);
      expect(JSON.parse(await container.request(operator(80, 'Identity'), {}))).toMatchObject({
        name: 'small_encoder',
        endpoint: '127.0.0.1:80',
      });
      const reply = JSON.parse(
        await container.request(operator(80, 'Execute'), { datas: [picture] }),
      );
      expect(reply.vectors[0].element.length).toBe(128);
      await podman('healthcheck', 'run', container.name);
      const { code, log } = await container.stop();
      expect(code).toBe(0);
      expect(log).toMatch(/no GPU, running on the CPU/);
      expect(log).toMatch(/"msg":"ended"/);
    },
  );

  imageTest('with OP_ENDPOINT listens on its port', async () => {
    const options = ['--env=OP_ENDPOINT=operator.example:52001'];
    await using container = await startContainer(image, options, 52001);
    const identity = JSON.parse(await container.request(operator(52001, 'Identity'), {}));
    expect(identity.endpoint).toBe('operator.example:52001');
    await podman('healthcheck', 'run', container.name);
  });

  imageTest('takes the certificates that are mounted over its own', async () => {
    const folder = testFolder('certificates');
    const fetched = async (options: readonly string[]): Promise<string> => {
      const allow = ['--url-allow', 'localhost:4443'];
      await using container = await startContainer(image, options, 80, ...allow);
      await serveHttps(container, folder);
      const urls = ['https://localhost:4443/picture.png'];
      const execute = container.request(operator(80, 'Execute'), { urls });
      return await execute.catch(async () => (await container.stop()).log);
    };
    writeFileSync(join(folder, 'picture.png'), Buffer.from(picture, 'base64'));
    const certificate = await makeCertificate(folder);
    const mounted = `--volume=${certificate}:/etc/ssl/certs/ca-certificates.crt:ro`;
    expect(await fetched([mounted])).toStartWith('{"nums":"1"');
    expect(await fetched([])).toMatch(/self.signed certificate/i);
  });
});

describe('with a GPU, here a software one', () => {
  const driver = '/usr/lib/chromium';
  const missing = existsSync(`${driver}/vk_swiftshader_icd.json`)
    ? undefined
    : 'SwiftShader is not there';
  const gpu = [
    `--volume=${driver}:${driver}:ro`,
    `--env=VK_DRIVER_FILES=${driver}/vk_swiftshader_icd.json`,
  ];

  imageTest(
    'runs on it when there is a folder to unpack the addon in',
    async () => {
      const options = [...gpu, '--tmpfs=/tmp:exec'];
      const info = await runToEnd(
        image,
        options,
        'info',
        '--allow-software-gpu',
        '--device=webgpu',
      );
      expect(info).toMatch(/^device: +webgpu$/m);
    },
    missingPodman ?? missing,
  );

  imageTest(
    'without such a folder runs on the CPU and says what is missing',
    async () => {
      for (const options of [gpu, [...gpu, '--tmpfs=/tmp:noexec']]) {
        const info = await runToEnd(image, options, 'info', '--allow-software-gpu');
        expect(info).toMatch(/^device: +wasm$/m);
        expect(info).toMatch(/no GPU.*writable temporary folder that allows execution/);
      }
    },
    missingPodman ?? missing,
  );
});

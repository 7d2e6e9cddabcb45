/** The bill of materials of an executable, as CycloneDX 1.6 JSON: the npm packages in it, the Bun it runs on, its models. */
import packageJson from '../package.json' with { type: 'json' };
import { precisions } from '../src/model/manifest.ts';
import type { EmbeddedModel } from './embedded-model.ts';
import { type LockedPackage, lockedPackages } from './lock-file.ts';

export interface Materials {
  /** Folders of the packages, as package-lock.json names them. */
  readonly packages: readonly string[];
  /** The npm package of the Bun that is inside. */
  readonly runtime: string;
  readonly target: string;
  readonly commit: string;
  /** SHA-256 of the executable, hexadecimal. */
  readonly sha256: string;
  readonly model: EmbeddedModel | undefined;
}

/** The same for the same executable: no time of day, no random number. */
export function billOfMaterials(materials: Materials): object {
  const { commit, target, sha256 } = materials;
  const purl = `pkg:generic/${packageJson.name}@${packageJson.version}`;
  const locked = lockedPackages();
  const components = [
    ...materials.packages.map((folder) => npmComponent(folder, 'library', locked)),
    npmComponent(`node_modules/${materials.runtime}`, 'platform', locked),
    ...(materials.model ? modelComponents(materials.model) : []),
  ];
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(sha256)}`,
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': purl,
        name: packageJson.name,
        version: packageJson.version,
        purl,
        licenses: licences(packageJson.license),
        hashes: [{ alg: 'SHA-256', content: sha256 }],
        properties: [
          { name: 'commit', value: commit },
          { name: 'target', value: target },
        ],
      },
    },
    components,
    // Everything is linked into the one file; what needs what is the lock file's matter.
    dependencies: [{ ref: purl, dependsOn: components.map((component) => component['bom-ref']) }],
  };
}

interface Component {
  readonly 'bom-ref': string;
  readonly [field: string]: unknown;
}

function npmComponent(
  folder: string,
  type: string,
  locked: Record<string, LockedPackage>,
): Component {
  const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const found = locked[folder];
  if (!found) throw new Error(`${folder} is in the executable, but not in package-lock.json`);
  const { version, integrity, license } = found;
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const content = Buffer.from(integrity?.replace('sha512-', '') ?? '', 'base64').toString('hex');
  return {
    type,
    'bom-ref': purl,
    name,
    version,
    purl,
    ...(license ? { licenses: licences(license) } : {}),
    // Of the archive in the registry.
    ...(content ? { hashes: [{ alg: 'SHA-512', content }] } : {}),
  };
}

function modelComponents({ manifest, files }: EmbeddedModel): Component[] {
  const { name, architecture, source, variants } = manifest;
  return precisions.flatMap((precision) => {
    const variant = files[precision] && variants[precision];
    if (!variant) return [];
    return {
      type: 'machine-learning-model',
      'bom-ref': `model:${variant.sha256}`,
      name: `${name}-${precision}`,
      version: variant.sha256.slice(0, 16),
      description: `${architecture}: ${source.description}`,
      licenses: [{ license: { name: source.licence } }],
      hashes: [{ alg: 'SHA-256', content: variant.sha256 }],
    };
  });
}

/** An SPDX identifier, an expression of them, or words. */
function licences(text: string): object[] {
  if (/\s(AND|OR|WITH)\s/.test(text)) return [{ expression: text }];
  if (/\s/.test(text)) return [{ license: { name: text } }];
  return [{ license: { id: text } }];
}

/** The checksum's first bits in the shape of a UUID of version 8 (RFC 9562: custom). */
function uuidOf(sha256: string): string {
  const [a, b, c, d, e] = [
    [0, 8],
    [8, 12],
    [13, 16],
    [17, 20],
    [20, 32],
  ].map(([from, to]) => sha256.slice(from, to));
  return `${a}-${b}-8${c}-8${d}-${e}`;
}

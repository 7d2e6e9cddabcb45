/** What this program is; the build puts the values in, and run from the sources it says so. */

declare const BUILD_VERSION: string | undefined;
declare const BUILD_COMMIT: string | undefined;

export const version = typeof BUILD_VERSION === 'string' ? BUILD_VERSION : 'from-source';
export const commit = typeof BUILD_COMMIT === 'string' ? BUILD_COMMIT : 'none';

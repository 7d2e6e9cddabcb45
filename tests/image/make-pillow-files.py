"""Writes pillow-files.json: small files of every format, each with the SHA-256 of the RGB bytes that Pillow reads from it,
and of what Pillow's resize makes of a pattern. Run once with Debian's python3-pil 9.4.0 (libjpeg-turbo 2.1.5), jpegtran and
ImageMagick's convert; the tests need none of them.

    python3 tests/image/make-pillow-files.py > tests/image/pillow-files.json
"""
import base64, hashlib, io, json, subprocess
from PIL import Image


def pattern(width, height):
    """The same as `pattern` in tests/support/pictures.ts."""
    return Image.frombytes("RGB", (width, height), bytes(
        ((x * 7 + y * 13 + c * 31 + x * y) ^ (x * x >> 3)) & 255
        for y in range(height) for x in range(width) for c in range(3)))


def smooth(width, height):
    return Image.frombytes("RGB", (width, height), bytes(
        (x * 5 * (c + 1) + y * 3 * (3 - c)) % 511 // 2
        for y in range(height) for x in range(width) for c in range(3)))


def sha(image):
    return hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()


def saved(image, fmt, **options):
    out = io.BytesIO()
    image.save(out, fmt, **options)
    return out.getvalue()


def run(command, data):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


rgb = smooth(29, 21)
cmyk = rgb.convert("CMYK")
palette = rgb.quantize(13)
grey = rgb.convert("L")
alpha = rgb.copy()
alpha.putalpha(grey)
jpeg = saved(rgb, "JPEG", quality=70)
ycck = run(["convert", "-", "-colorspace", "CMYK", "-sampling-factor", "2x2", "-quality", "70", "-strip", "jpeg:-"], saved(rgb, "PNG"))
files = {
    "baseline.jpg": jpeg,
    "progressive.jpg": saved(rgb, "JPEG", quality=70, progressive=True),
    "444.jpg": saved(rgb, "JPEG", quality=90, subsampling="4:4:4"),
    "422.jpg": saved(rgb, "JPEG", quality=70, subsampling="4:2:2"),
    "grey.jpg": saved(grey, "JPEG"),
    "restart.jpg": run(["jpegtran", "-restart", "1"], jpeg),
    "cmyk.jpg": saved(cmyk, "JPEG", quality=70),
    "cmyk-restart.jpg": run(["jpegtran", "-restart", "1B"], saved(cmyk, "JPEG", quality=70)),
    "cmyk-progressive.jpg": run(["jpegtran", "-progressive"], saved(cmyk, "JPEG", quality=70)),
    "ycck.jpg": ycck,
    "ycck-progressive.jpg": run(["jpegtran", "-progressive", "-copy", "all"], ycck),
    "palette.gif": saved(palette, "GIF", interlace=0),
    "interlaced.gif": saved(palette, "GIF", interlace=1),
    "transparent.gif": saved(palette, "GIF", transparency=5),
    "grey.gif": saved(grey, "GIF"),
    "frames.gif": saved(rgb, "GIF", save_all=True, append_images=[rgb.rotate(180)]),
    "1bit.bmp": saved(rgb.convert("1"), "BMP"),
    "palette.bmp": saved(palette, "BMP"),
    "24bit.bmp": saved(rgb, "BMP"),
    "32bit.bmp": saved(alpha, "BMP"),
    "565.bmp": run(["convert", "-", "-define", "bmp:subtype=RGB565", "bmp:-"], saved(rgb, "PNG")),
    "lossy.webp": saved(rgb, "WEBP", quality=60),
    "lossless.webp": saved(rgb, "WEBP", lossless=True),
    "alpha.webp": saved(alpha, "WEBP", quality=60),
    "frames.webp": saved(alpha, "WEBP", quality=60, save_all=True, append_images=[alpha.rotate(180)]),
    "none.tif": saved(rgb, "TIFF"),
    "lzw.tif": saved(rgb, "TIFF", compression="tiff_lzw"),
    "deflate.tif": saved(rgb, "TIFF", compression="tiff_adobe_deflate"),
    "packbits.tif": saved(grey, "TIFF", compression="packbits"),
    "predictor.tif": saved(rgb, "TIFF", compression="tiff_lzw", tiffinfo={317: 2}),
    "palette.tif": saved(palette, "TIFF"),
    "alpha.tif": saved(alpha, "TIFF"),
    "frames.png": saved(rgb, "PNG", save_all=True, append_images=[rgb.rotate(180)]),
}
resized = []
for filter_name, filter_id in (("nearest", Image.Resampling.NEAREST), ("bilinear", Image.Resampling.BILINEAR)):
    for source, target in (((301, 225), (224, 224)), ((640, 64), (224, 224)), ((50, 61), (224, 224)),
                           ((224, 300), (224, 224)), ((301, 225), (342, 256)), ((90, 500), (256, 1422))):
        resized.append({"filter": filter_name, "source": source, "target": target,
                        "sha256": sha(pattern(*source).resize(target, filter_id))})
print(json.dumps({
    "files": [{"name": name, "base64": base64.b64encode(data).decode(), "size": Image.open(io.BytesIO(data)).size,
               "sha256": sha(Image.open(io.BytesIO(data)))} for name, data in files.items()],
    "resized": resized,
}, indent=2))

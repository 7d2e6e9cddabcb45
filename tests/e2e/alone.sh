# Run in namespaces of its own (unshare --mount --net): no network but loopback, nothing writable, no environment.
# Argument: the folder that holds nothing but the executable. Prints what the test looks at.
set -e
ip link set lo up
mount --make-rprivate /
awk '{print $5}' /proc/self/mountinfo | sort -r | while read -r mount; do
  mount -o remount,bind,ro "$mount" 2>/dev/null || true
done
touch /tmp/written 2>/dev/null && echo writable
cd "$1"
ls
env -i ./resnet50-encoder info
env -i ./resnet50-encoder serve >&2 &
server=$!
for _ in $(seq 200); do
  env -i ./resnet50-encoder healthcheck 2>/dev/null && break
  sleep 0.1
done
kill -TERM "$server"
wait "$server"
echo "ended with $?"

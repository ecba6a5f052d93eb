# What is written to /root/shared/results/ comes back as the result of the job.
# B2D_INDEX and B2D_COUNT say which of the batch's jobs this is.
/bin/busybox awk -v seed="$((${B2D_INDEX:-0} + 1))" -v points="${POINTS}" '
	BEGIN {
		srand(seed)
		for (i = 0; i < points; i++) {
			x = rand(); y = rand()
			if (x * x + y * y < 1) inside++
		}
		printf "%.6f\n", 4 * inside / points
	}' > /root/shared/results/pi.txt
echo "job $((${B2D_INDEX:-0} + 1)) of ${B2D_COUNT:-1}: pi is about $(/bin/busybox cat /root/shared/results/pi.txt)"

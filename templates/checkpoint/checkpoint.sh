# Checkpoints for programs in shell. Copy this file into the image and read it in:
#
#     . /usr/local/lib/checkpoint.sh
#     step=$(checkpoint_load) || step=0
#     while [ "$step" -lt 1000 ]; do
#         one_step "$step"
#         step=$((step + 1))
#         echo "$step" | checkpoint_save
#         checkpoint_pause
#     done
#
# Needs mkdir, cat, mv and sync. CHECKPOINT_DIR names another folder, for trying.
: "${CHECKPOINT_DIR:=/root/shared/checkpoint}"
checkpoint_wanted=no
trap 'checkpoint_wanted=yes' TERM

# Prints what was saved last under the name $1 (default: state); 1 if nothing was.
checkpoint_load() {
	[ -f "$CHECKPOINT_DIR/${1:-state}" ] && cat "$CHECKPOINT_DIR/${1:-state}"
}

# Keeps standard input under the name $1. What was there before stays until the new text is complete.
checkpoint_save() {
	mkdir -p "$CHECKPOINT_DIR" &&
		cat >"$CHECKPOINT_DIR/${1:-state}.new" &&
		sync &&
		mv -f "$CHECKPOINT_DIR/${1:-state}.new" "$CHECKPOINT_DIR/${1:-state}"
}

# To be called right after saving: ends the program if the host has asked for that.
checkpoint_pause() {
	if [ "$checkpoint_wanted" = yes ]; then
		trap - TERM
		kill -s TERM $$
	fi
}

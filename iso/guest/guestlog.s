# Copies standard input to I/O port 0x504, which writes VirtualBox's log: its guest-log device. guestlog.base64 is this,
# made with:
#   as -o guestlog.o guestlog.s && ld -n -s -nostdlib -z noseparate-code -o guestlog guestlog.o && objcopy --strip-section-headers …
# and cut behind the code (the section headers are not needed).
.intel_syntax noprefix
.globl _start
_start:
	mov edi, 0x504          # ioperm(0x504, 1, 1)
	push 1
	pop rsi
	mov edx, esi
	mov eax, 173
	syscall
	sub rsp, 512
1:	xor edi, edi            # read(0, buffer, 512)
	mov rsi, rsp
	mov edx, 512
	xor eax, eax
	syscall
	test eax, eax
	jle 2f
	mov ecx, eax
	mov edx, 0x504
	rep outsb
	jmp 1b
2:	mov eax, 60             # exit(0)
	xor edi, edi
	syscall

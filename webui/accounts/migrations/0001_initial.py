import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def staff_are_administrators(apps, schema_editor):
    """Until now there was staff only, who might do everything; nobody loses what they had."""
    user = apps.get_model("auth", "User")
    user.objects.filter(is_staff=True).update(is_superuser=True)
    user.objects.filter(is_superuser=True).update(is_staff=True)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="account",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("language", models.CharField(blank=True, default="", help_text="empty: the browser's", max_length=10)),
            ],
            options={"db_table": "accounts_account", "ordering": ["user"]},
        ),
        migrations.RunPython(staff_are_administrators, migrations.RunPython.noop),
    ]
